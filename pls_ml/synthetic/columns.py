"""Array types the generator computes with, and their way into plain Arrow columns."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

TIME = pa.timestamp("us", tz="UTC")


def format_ids(prefix: str, numbers: Ints, width: int) -> pa.Array:
    """Takes a one-letter prefix and n numbers; returns n strings such as 'u000123', built without a Python object each."""
    text = np.empty((len(numbers), width + 1), dtype=np.uint8)
    text[:, 0] = ord(prefix)
    rest = numbers.astype(np.int64)
    for place in range(width, 0, -1):
        rest, digit = np.divmod(rest, 10)
        text[:, place] = digit + ord("0")
    offsets = np.arange(len(numbers) + 1, dtype=np.int32) * np.int32(width + 1)
    return pa.StringArray.from_buffers(len(numbers), pa.py_buffer(offsets), pa.py_buffer(text))


def take_or_null(values: pa.Array, positions: Ints) -> pa.Array:
    """Takes m values and n positions; returns n values, null where the position is negative."""
    return values.take(pa.array(positions, mask=positions < 0))


def choose(texts: tuple[str | None, ...], positions: Ints) -> pa.Array:
    """Takes a short vocabulary and n positions in it; returns n strings, null where the position is negative."""
    return take_or_null(pa.array(texts, pa.string()), positions)


def time_column(times_us: Ints, missing: Flags | None = None) -> pa.Array:
    """Takes n times in microseconds since 1970 UTC; returns n time stamps, null where `missing`."""
    return pa.array(times_us, pa.int64(), mask=missing).cast(TIME)


def number_column(values: Floats) -> pa.Array:
    """Takes n numbers; returns n doubles, null where the number is NaN."""
    return pa.array(values, pa.float64(), mask=np.isnan(values))
