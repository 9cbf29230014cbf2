"""How a training of a confirmation did on each test sample, and the file that records it.

A score is a mean over the test samples. With the values behind it, of several trainings on the same
samples, the statistics can say how much the score would vary on other samples of the same kind.

The file is JSON as all others. 2,000 samples that are right or wrong are 250 bytes, and .5 KB with
what stands beside them; as an `.npz` they would take more, for two headers of zip and one of NumPy.
"""

from __future__ import annotations

import base64
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from lrtune.records.schema import SCHEMA, PositiveInt

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAMPLES = "samples.json"

LARGEST_FILE = 256 * 2**20
"""In bytes. 50 million samples with a loss each have less."""

_ROUGH = 0.01
"""How much rounding may change values, as a share of their standard deviation. It then widens the
interval of a difference by less than 1 %, even if the trainings agree on most of the variation."""

_BITS: Literal["bool"] = "bool"


@dataclass(frozen=True, eq=False)
class Samples:
    """How a training did on each test sample.

    Attributes:
        metric: what was measured, as Keras logs it: the objective ("val_accuracy"), or "val_loss"
            where the objective is no mean over samples.
        values: shape (samples,), in the order of the test data; their mean is what Keras logged.
            bool where all of them are 0 or 1, as those of an accuracy, where True is right;
            otherwise float16 or float32.
        order: 16 hexadecimal digits, a hash of the samples in their order. The values of two
            trainings belong to the same samples only if it is the same.
    """

    metric: str
    values: NDArray[Any]
    order: str

    @property
    def mean(self) -> float:
        """The mean value; of bits the share of samples that are right."""
        return float(np.mean(self.values, dtype=np.float64))

    def fits(self, score: float | None) -> bool:
        """Whether the values can be those behind a score, whatever was rounded."""
        rounded = 1e-3 if self.values.dtype == np.float16 else 1e-4  # float16 has 11 binary digits
        return score is not None and math.isclose(self.mean, score, rel_tol=rounded)

    @property
    def is_bits(self) -> bool:
        """Whether each value is 0 or 1."""
        return bool(self.values.dtype == np.bool_)


def compact(values: NDArray[np.float64]) -> NDArray[Any]:
    """The same values in the smallest type that keeps what statistics need.

    Args:
        values: shape (samples,), finite.

    Returns:
        bool if each is 0 or 1; float16 if that changes them by less than 1 % of their spread and
        none is too large for it; otherwise float32.
    """
    if np.isin(values, (0.0, 1.0)).all():
        return values.astype(np.bool_)
    with np.errstate(over="ignore"):
        half, single = values.astype(np.float16), values.astype(np.float32)
    if not np.isfinite(half).all():
        return single
    rounded = math.sqrt(np.mean((half.astype(np.float64) - values) ** 2))
    return half if rounded <= _ROUGH * values.std() else single


@dataclass(frozen=True)
class PackedSamples:
    """`samples.json`.

    Attributes:
        metric, order: as in `Samples`.
        count: int >= 1, the number of samples.
        dtype: type of the values.
        values: their bytes, little-endian; bits are packed, the first in the highest place.
    """

    metric: str
    order: str
    count: PositiveInt
    dtype: Literal["bool", "float16", "float32"]
    values: bytes
    schema: int = SCHEMA


def pack(samples: Samples) -> dict[str, Any]:
    """As JSON's types, the bytes in base64."""
    values = samples.values
    raw = np.packbits(values) if samples.is_bits else values.astype(values.dtype.newbyteorder("<"))
    return {
        "metric": samples.metric,
        "order": samples.order,
        "count": len(values),
        "dtype": str(values.dtype),
        "values": base64.b64encode(raw.tobytes()).decode(),
        "schema": SCHEMA,
    }


def unpack(packed: PackedSamples) -> Samples:
    """The samples of a file.

    Raises:
        ValueError: the bytes are not those of so many values, or one of these is not finite.
    """
    bits = packed.dtype == _BITS
    width = np.dtype(packed.dtype).itemsize
    expected = -(-packed.count // 8) if bits else packed.count * width
    if len(packed.values) != expected:
        raise ValueError(
            f"{packed.count:,} values take {expected:,} bytes, and it has {len(packed.values):,}"
        )
    if bits:
        raw = np.frombuffer(packed.values, np.uint8)
        values = np.unpackbits(raw, count=packed.count).astype(np.bool_)
    else:
        values = np.frombuffer(packed.values, f"<f{width}").astype(packed.dtype)
        if not np.isfinite(values).all():
            raise ValueError("it has values that are not finite")
    return Samples(packed.metric, values, packed.order)
