"""Paints simple shapes on many small pictures at once.

Every pixel comes from uniform draws, + - * /, square roots and comparisons alone, which IEEE 754
makes the same on every machine; a sine or an exponential is not, and one grey level changes a
fingerprint.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Floats: TypeAlias = "NDArray[np.float32]"

SIZE = 32  # pixels to a side


class Canvas:
    """n square pictures that are painted on together, colour planes first.

    Places are in units of half a picture's side, u to the right and v down from the middle; after
    `pose` they are measured from the pet's head, tilted and scaled with it.
    """

    def __init__(self, rng: np.random.Generator, n: int) -> None:
        self.rng = rng
        self.n = n
        line = (np.arange(SIZE, dtype=np.float32) + np.float32(0.5)) * np.float32(2 / SIZE) - 1
        self.x, self.y = line[None, None, :], line[None, :, None]
        self.u = np.broadcast_to(self.x, (n, SIZE, SIZE))
        self.v = np.broadcast_to(self.y, (n, SIZE, SIZE))
        self.sharp = self.constant(SIZE / 2)  # pixels to a unit of length
        self.rgb = np.empty((3, n, SIZE, SIZE), dtype=np.float32)

    def uniform(self, low: float, high: float, *shape: int) -> Floats:
        """Draw from [low, high): float32 [n, 1, 1], or [n, *shape] if a shape is given."""
        drawn = self.rng.random((self.n, *(shape or (1, 1))), dtype=np.float32)
        drawn *= np.float32(high - low)
        drawn += np.float32(low)
        return drawn

    def constant(self, value: float) -> Floats:
        """The same value for each picture: float32 [n, 1, 1]."""
        return np.full((self.n, 1, 1), value, dtype=np.float32)

    def pose(self) -> None:
        """Move, tilt and scale the coordinates: each pet sits and holds its head its own way."""
        half = self.uniform(-0.2, 0.2)  # the tangent of half the tilt
        cos, sin = (1 - half * half) / (1 + half * half), 2 * half / (1 + half * half)
        scale = self.uniform(0.72, 1.25)
        x = (self.x - self.uniform(-0.3, 0.3)) / scale
        y = (self.y - self.uniform(-0.25, 0.3)) / scale
        self.u, self.v = x * cos + y * sin, y * cos - x * sin
        self.sharp = scale * np.float32(SIZE / 2)

    def inside(
        self,
        at: tuple[Floats | float, Floats | float],
        radii: tuple[Floats | float, Floats | float],
        shear: float = 0.0,
    ) -> Floats:
        """How far each pixel lies in an ellipse, 0 to 1, with an edge one pixel wide."""
        du: Floats = self.u - np.float32(at[0])
        dv = self.v - np.float32(at[1])
        if shear:
            du += dv * np.float32(shear)
        du /= np.float32(radii[0])
        dv /= np.float32(radii[1])
        du *= du
        dv *= dv
        du += dv
        # To first order 1 - q is 2 / radius times the distance from the edge.
        steep = np.minimum(np.float32(radii[0]), np.float32(radii[1])) * self.sharp / 2
        np.subtract(1, du, out=du)
        du *= steep
        du += np.float32(0.5)
        np.clip(du, 0, 1, out=du)
        return du

    def ellipse(
        self,
        colour: Floats,
        at: tuple[Floats | float, Floats | float],
        radii: tuple[Floats | float, Floats | float],
        shear: float = 0.0,
    ) -> None:
        """Paint an ellipse, leaning by `shear`."""
        self.paint(self.inside(at, radii, shear), colour)

    def triangle(self, colour: Floats, *corners: tuple[Floats, Floats]) -> None:
        """Paint a triangle whose corners may run either way round."""
        (au, av), (bu, bv), (cu, cv) = corners
        turn = np.sign((bu - au) * (cv - av) - (bv - av) * (cu - au)) * self.sharp
        mask: Floats | None = None
        for (pu, pv), (qu, qv) in zip(corners, (corners[1], corners[2], corners[0]), strict=True):
            length = np.sqrt((qu - pu) ** 2 + (qv - pv) ** 2)
            nu, nv = turn * (pv - qv) / length, turn * (qu - pu) / length
            edge = self.u * nu
            edge += self.v * nv
            edge -= pu * nu + pv * nv - np.float32(0.5)
            mask = edge if mask is None else np.minimum(mask, edge, out=mask)
        if mask is not None:
            self.paint(np.clip(mask, 0, 1, out=mask), colour)

    def fill(self, colour: Floats) -> None:
        """Paint everything: colour is float32 [n, 3]."""
        self.rgb[:] = colour.T[:, :, None, None]

    def paint(self, mask: Floats, colour: Floats) -> None:
        """Blend a colour in: mask float32 [n, 32, 32] from 0 to 1, colour [3] or [n, 3]."""
        planes = np.broadcast_to(colour, (self.n, 3)).T[:, :, None, None]
        for plane, value in zip(self.rgb, planes, strict=True):
            step = value - plane
            step *= mask
            np.add(plane, step, out=plane)

    def photograph(self) -> NDArray[np.uint8]:
        """Light the scene from one side, add the camera's noise: uint8 [n, 32, 32, 3]."""
        light = self.uniform(0.45, 0.85) + self.uniform(-0.2, 0.2) * self.x
        light = (light + self.uniform(-0.15, 0.15) * self.y) * np.float32(255)
        grain = self.uniform(8, 40)
        out = np.empty((self.n, SIZE, SIZE, 3), dtype=np.uint8)
        for channel, plane in enumerate(self.rgb):
            lit = plane * light
            noise = self.rng.random(plane.shape, dtype=np.float32)
            noise -= np.float32(0.5)
            noise *= grain
            lit += noise
            out[..., channel] = np.clip(lit, 0, 255, out=lit)
        return out
