"""Cats and dogs drawn from a seed, for machines that cannot reach a photograph.

Cats have a round face, pointed ears, slit pupils and a small nose; dogs a narrow one, floppy ears
and a long snout with a big black nose. Pose, coat, light and noise vary alike for both. So that a
small network errs on about a fifth of them and a poor learning rate shows, some pets hide behind a
cushion, some cats fold their ears and some dogs prick theirs; and as in photographs the scene tells
a little: dogs are outdoors more often.

The same seed draws the same pixels on every machine; `lrtune.data.canvas` says how.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

from lrtune.data.canvas import SIZE, Canvas
from lrtune.data.dataset import SYNTHETIC_SOURCE, RawImages
from lrtune.errors import ArgumentError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lrtune.data.canvas import Floats

CLASS_NAMES = ("cat", "dog")

# Shares of pets. Measured with the reading's CNN, 10,000 training pets, 50 epochs, accuracy on the
# 2,000 test pets: constant .1: .831 .818 (two seeds); exponential from .1, momentum .8: .821 .823;
# constant .01: .720; constant 1e-4: .527.
POINTED_EARS = {"cat": 0.9, "dog": 0.15}
HIDING = 0.35
OUTDOORS = {"cat": 0.4, "dog": 0.6}

# Black, grey, orange, cream, white, brown, chocolate: both species wear them all.
COATS = np.array(
    [
        [0.13, 0.12, 0.13],
        [0.48, 0.48, 0.50],
        [0.80, 0.50, 0.22],
        [0.86, 0.74, 0.56],
        [0.92, 0.91, 0.88],
        [0.56, 0.38, 0.24],
        [0.34, 0.22, 0.15],
    ],
    dtype=np.float32,
)
CAT_EYES = np.array(
    [[0.55, 0.72, 0.25], [0.85, 0.72, 0.20], [0.40, 0.66, 0.75], [0.30, 0.20, 0.10]],
    dtype=np.float32,
)
DOG_EYES = np.array(
    [[0.16, 0.09, 0.06], [0.30, 0.18, 0.08], [0.10, 0.08, 0.08], [0.40, 0.66, 0.75]],
    dtype=np.float32,
)
SKY = np.array([0.30, 0.42, 0.55], dtype=np.float32)
GRASS = np.array([0.15, 0.32, 0.10], dtype=np.float32)
WARM = np.array([0.06, 0.0, -0.06], dtype=np.float32)
PINK = np.array([0.85, 0.45, 0.48], dtype=np.float32)
BLACK = np.array([0.04, 0.04, 0.04], dtype=np.float32)

CHUNK = 250  # images drawn at once: their 3 MB of float32 stay in the processor's cache


def load_synthetic(*, train: int = 10_000, test: int = 2_000, seed: int = 0) -> RawImages:
    """Draw a training and a test set, half cats and half dogs.

    Args:
        train: int >= 2, the number of training images.
        test: int >= 2, the number of test images.
        seed: int >= 0; the same seed draws the same images on every machine.

    Returns:
        uint8 images [n, 32, 32, 3]; label 1 = dog; `source` "synthetic".

    Raises:
        ArgumentError: an argument outside its domain.
    """
    for name, value, least in (("train", train, 2), ("test", test, 2), ("seed", seed, 0)):
        if value < least:
            raise ArgumentError(f"{name} must be an int >= {least}. Received: {value}")
    rng_train, rng_test = (np.random.default_rng([seed, part]) for part in (0, 1))
    x_train, y_train = draw(rng_train, train)
    x_test, y_test = draw(rng_test, test)
    return RawImages(x_train, y_train, x_test, y_test, CLASS_NAMES, SYNTHETIC_SOURCE)


def draw(rng: np.random.Generator, n: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Draw n pets in random order.

    Args:
        rng: where the randomness comes from.
        n: int >= 1.

    Returns:
        Images uint8 [n, 32, 32, 3] and labels int64 [n], 1 = dog; n // 2 of them are dogs.
    """
    y = (np.argsort(rng.random(n), kind="stable") < n // 2).astype(np.int64)
    pointed = rng.random(n) < np.where(y == 1, POINTED_EARS["dog"], POINTED_EARS["cat"])
    x = np.empty((n, SIZE, SIZE, 3), dtype=np.uint8)
    hiding = rng.random(n) < HIDING
    for label, ears, hides in itertools.product((0, 1), (False, True), (False, True)):
        members = np.flatnonzero((y == label) & (pointed == ears) & (hiding == hides))
        for start in range(0, len(members), CHUNK):
            chunk = members[start : start + CHUNK]
            x[chunk] = _pets(rng, len(chunk), CLASS_NAMES[label], pointed=ears, hidden=hides)
    return x, y


def _pets(
    rng: np.random.Generator, n: int, species: str, *, pointed: bool, hidden: bool
) -> NDArray[np.uint8]:
    """Draw n pets of one species with one kind of ears: uint8 [n, 32, 32, 3]."""
    canvas = Canvas(rng, n)
    _background(canvas, species)
    coat = COATS[rng.integers(len(COATS), size=n)] + canvas.uniform(-0.08, 0.08, 3)
    canvas.pose()
    canvas.ellipse(coat * np.float32(0.9), at=(0, 1.05), radii=(0.55, 0.65))  # the body
    yaw = canvas.uniform(-0.12, 0.12)
    # The two overlap: there are flat-faced dogs and long-faced cats.
    cat = species == "cat"
    width = canvas.uniform(0.44, 0.58) if cat else canvas.uniform(0.38, 0.52)
    height = canvas.uniform(0.40, 0.50) if cat else canvas.uniform(0.42, 0.54)
    ear = coat * canvas.uniform(0.55, 1.0, 1)
    if pointed:
        _pointed_ears(canvas, ear, width, height)
    canvas.ellipse(coat, at=(0, 0), radii=(width, height))
    _stripes(canvas, coat, width, height, most=0.45 if cat else 0.25)
    if not pointed:
        _floppy_ears(canvas, ear, width)
    if hidden:
        canvas.ellipse(_muted(canvas), at=(0, -0.15), radii=(0.8, 0.85))
    elif cat:
        _cat_face(canvas, coat, yaw)
    else:
        _dog_face(canvas, coat, yaw)
    return canvas.photograph()


def _background(canvas: Canvas, species: str) -> None:
    """Sky over grass or a wall over a floor, meeting at a random height; two things in the way."""
    outdoors = canvas.rng.random((canvas.n, 1)) < OUTDOORS[species]
    far, near = _muted(canvas), _muted(canvas)
    canvas.fill(np.where(outdoors, far * np.float32(0.4) + SKY, far + WARM))
    edge = (canvas.v - canvas.uniform(-0.3, 0.9)) * np.float32(8) + np.float32(0.5)
    ground = np.where(outdoors, near * np.float32(0.4) + GRASS, near + WARM)
    canvas.paint(np.clip(edge, 0, 1), ground)
    for _ in range(2):
        place = canvas.uniform(-1, 1), canvas.uniform(-1, 1)
        radii = canvas.uniform(0.1, 0.45), canvas.uniform(0.1, 0.45)
        canvas.ellipse(_muted(canvas), at=place, radii=radii)


def _muted(canvas: Canvas) -> Floats:
    """Draw a colour near grey, as most of a photograph's are: float32 [n, 3]."""
    return canvas.uniform(0.15, 0.85, 1) + canvas.uniform(-0.12, 0.12, 3)


def _pointed_ears(canvas: Canvas, colour: Floats, width: Floats, height: Floats) -> None:
    lean = canvas.uniform(0.75, 1.1)
    tall = canvas.uniform(0.32, 0.48)
    inner = colour * np.float32(0.5) + np.float32(0.5) * PINK
    for side in (-1, 1):
        tip = side * width * lean, -height - tall + np.float32(0.12)
        feet = (side * width * 0.25, -height * 0.85), (side * width * 0.98, -height * 0.3)
        canvas.triangle(colour, tip, *feet)
        middle = side * width * 0.68, -height * 0.75
        canvas.triangle(inner, *(_toward(corner, middle, 0.45) for corner in (tip, *feet)))


def _toward(
    corner: tuple[Floats, Floats], middle: tuple[Floats, Floats], share: float
) -> tuple[Floats, Floats]:
    return corner[0] + (middle[0] - corner[0]) * share, corner[1] + (middle[1] - corner[1]) * share


def _floppy_ears(canvas: Canvas, colour: Floats, width: Floats) -> None:
    long = canvas.uniform(0.26, 0.46)
    for side in (-1, 1):
        at = side * width * np.float32(0.98), long - np.float32(0.28)
        canvas.ellipse(colour * np.float32(0.8), at=at, radii=(0.15, long), shear=-side * 0.25)


def _stripes(canvas: Canvas, coat: Floats, width: Floats, height: Floats, *, most: float) -> None:
    """Darken bands across the forehead and cheeks; `most` is the strength of the boldest."""
    wave = canvas.u * canvas.uniform(3, 5) + canvas.uniform(0, 1)
    wave -= np.floor(wave)
    band = np.clip(np.abs(wave - 0.5) * 6 - 1, 0, 1) * canvas.uniform(-most, most).clip(0)
    band *= canvas.inside((0, -0.1), (width * 0.9, height * 0.85))
    canvas.paint(band, coat * np.float32(0.25))


def _cat_face(canvas: Canvas, coat: Floats, yaw: Floats) -> None:
    pale = coat * np.float32(0.4) + np.float32(0.52)
    low = canvas.uniform(0.15, 0.24)
    for side in (-1, 1):
        canvas.ellipse(pale, at=(yaw + side * 0.1, low), radii=(0.14, 0.12))
    canvas.ellipse(PINK, at=(yaw, low - np.float32(0.1)), radii=(0.07, 0.05))
    iris = CAT_EYES[canvas.rng.integers(len(CAT_EYES), size=canvas.n)]
    apart, size = canvas.uniform(0.19, 0.26), canvas.uniform(0.09, 0.13)
    for side in (-1, 1):
        eye = yaw * np.float32(0.7) + side * apart, canvas.constant(-0.08)
        canvas.ellipse(iris, at=eye, radii=(size, size * 0.85))
        canvas.ellipse(BLACK, at=eye, radii=(0.035, size * 0.85))


def _dog_face(canvas: Canvas, coat: Floats, yaw: Floats) -> None:
    pale = coat * np.float32(0.5) + np.float32(0.38)
    long = canvas.uniform(0.2, 0.34)
    nose = yaw * np.float32(1.6), long - np.float32(0.02)
    tongue = canvas.uniform(-0.12, 0.14).clip(0.01)
    at = yaw * np.float32(1.4), long + np.float32(0.3)
    canvas.ellipse(PINK, at=at, radii=(0.08, tongue))
    at = yaw * np.float32(1.3), long * np.float32(0.85)
    canvas.ellipse(pale, at=at, radii=(canvas.uniform(0.17, 0.24), long))
    canvas.ellipse(BLACK, at=nose, radii=(canvas.uniform(0.07, 0.12), 0.075))
    iris = DOG_EYES[canvas.rng.integers(len(DOG_EYES), size=canvas.n)]
    apart, size = canvas.uniform(0.16, 0.23), canvas.uniform(0.06, 0.09)
    for side in (-1, 1):
        eye = yaw * np.float32(0.7) + side * apart, canvas.constant(-0.14)
        canvas.ellipse(iris, at=eye, radii=(size, size))
