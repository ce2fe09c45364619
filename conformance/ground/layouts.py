"""How an array lies in memory. The same numbers, laid out another way, must give the same result."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

LAYOUTS = {"contiguous": 0, "transposed": 2, "stepped": 1, "padded": 1, "backwards": 1, "broadcast": 1, "windows": 2}
"""The layouts, and the rank that an array must have at least."""


def laid_out(array: np.ndarray, layout: str) -> np.ndarray:
    """An array of the same shape in another layout.

    Args:
        array: any dtype; contiguous.
        layout: 'contiguous'; 'transposed', with the axes in memory in reverse order (rank 2 or more); 'stepped', every
            second element of a larger array along each axis, beginning at its second (rank 1 or more), where the
            elements between are NaN or the integers' largest, so that a read of them shows; 'padded', a block of a
            larger array that begins one element in, so that its address is no multiple of a vector's length, with
            three of those elements between one row and the next (rank 1 or more); 'backwards', from its last element in
            memory to its first, with negative strides (rank 1 or more). Two layouts change numbers: 'broadcast', its
            first row repeated along axis 0 with a stride of 0 (rank 1 or more), and 'windows', rows that overlap, each
            beginning at the second element of the one before and ending with its own last one (rank 2 or more).

    Raises:
        ValueError: a rank too low for the layout.
    """
    if array.ndim < LAYOUTS[layout]:
        raise ValueError(f"an array of rank {array.ndim} can't be laid out '{layout}'")
    return array if layout == "contiguous" else MAKERS[layout](array)


def transposed(array: np.ndarray) -> np.ndarray:
    """With the axes in memory in reverse order."""
    return np.ascontiguousarray(array.T).T


def stepped(array: np.ndarray) -> np.ndarray:
    """Every second element of a larger array, which holds NaN (or the largest integer) between them."""
    larger = np.full([2 * n + 1 for n in array.shape], poison(array.dtype), dtype=array.dtype)
    between = larger[tuple(slice(1, 2 * n + 1, 2) for n in array.shape)]
    between[...] = array
    return between


def padded(array: np.ndarray) -> np.ndarray:
    """A block of an array whose rows are longer by three, from their second element on; NaN lies around it."""
    larger = np.full((*array.shape[:-1], array.shape[-1] + 3), poison(array.dtype), dtype=array.dtype)
    block = larger[..., 1:-2]
    block[...] = array
    return block


def backwards(array: np.ndarray) -> np.ndarray:
    """From its last element in memory to its first: every stride is negative."""
    return np.flip(np.ascontiguousarray(np.flip(array)))


def windows(array: np.ndarray) -> np.ndarray:
    """Rows that overlap: each begins at the second element of the one before, and ends with its own last one."""
    *outer, rows, columns = array.shape
    if not array.size:
        return array
    line = np.concatenate([array[..., 0, :], array[..., 1:, -1]], axis=-1)
    strides = (*line.strides[:-1], line.itemsize, line.itemsize)
    return np.ndarray((*outer, rows, columns), array.dtype, np.ascontiguousarray(line).view(np.uint8).data, 0, strides)


def broadcast(array: np.ndarray) -> np.ndarray:
    """The first row, repeated along axis 0 with a stride of 0."""
    return np.broadcast_to(array[:1], array.shape)


def poison(dtype: np.dtype) -> int | float | bool:
    """A value whose use shows."""
    if dtype.kind == "b":
        return True
    return int(np.iinfo(dtype).max) if dtype.kind in "iu" else float("nan")


MAKERS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "transposed": transposed,
    "stepped": stepped,
    "padded": padded,
    "backwards": backwards,
    "broadcast": broadcast,
    "windows": windows,
}
"""The functions that lay an array out, by layout. Scripts that repeat a result contain their source."""


def copied(array: np.ndarray) -> np.ndarray:
    """A copy that can be written to, in the same layout (`np.copy` would close the gaps between the elements).

    What lies around a part of a larger array comes along, and with it where in that the part begins.
    """
    base = array.base
    whole = array.flags.c_contiguous and (base is None or base.nbytes == array.nbytes or not base.flags.forc)
    if whole or not isinstance(base, np.ndarray):
        return np.array(array, order="C")
    start = array.__array_interface__["data"][0] - base.__array_interface__["data"][0]
    buffer = np.frombuffer(bytearray(base.tobytes("A")), dtype=np.uint8)
    return np.ndarray(array.shape, array.dtype, buffer.data, start, array.strides)


def overwrite(array: np.ndarray, bits: bytes) -> None:
    """Put back the bytes of a read-only array that was written to all the same, whatever its layout.

    Args:
        array: of any dtype.
        bits: what its `tobytes` gave.
    """
    owners = [array]
    while isinstance(owners[-1].base, np.ndarray):
        owners.append(owners[-1].base)
    locked = [owner for owner in owners if not owner.flags.writeable]
    for owner in reversed(locked):
        owner.flags.writeable = True
    array[...] = np.frombuffer(bits, dtype=array.dtype).reshape(array.shape)
    for owner in [array, *locked]:
        owner.flags.writeable = False
