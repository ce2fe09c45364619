"""Large arrays whose exact answers are known: a small one, repeated along its first axis.

What is computed for each element, or for each row, is then the same in every repetition; a mean over everything is the
small array's. So exact answers of 4,096 elements judge 16 million results, every one of them.
"""

from __future__ import annotations

import numpy as np

from conformance.ground import dtypes


def repeated(block: np.ndarray, times: int) -> np.ndarray:
    """`times` copies of an array, one below the other."""
    return block if times == 1 else np.tile(block, (times, *([1] * (block.ndim - 1))))


def extremes(result: np.ndarray, block_shape: tuple[int, ...], times: int) -> list[np.ndarray]:
    """What has to be judged of a result of repeated inputs, against the small array's exact answer.

    Args:
        result: of the repeated inputs.
        block_shape: of the result of the small array.
        times: how often it was repeated.

    Returns:
        The first repetition where all have the same bits. Else, for each element, the smallest and the largest that
        any repetition has there: whatever lies between two results that conform, conforms. A NaN in any is in both.

    Raises:
        ValueError: the result's shape is not that of so many repetitions.
    """
    due = (times * block_shape[0], *block_shape[1:]) if block_shape and times > 1 else block_shape
    if result.shape != due:
        raise ValueError(f"expected the shape {list(due)}, got {list(result.shape)}")
    if not block_shape or times == 1:
        return [result]
    tiles = result.reshape(times, *block_shape)
    bits = np.ascontiguousarray(tiles).view(dtypes.UNSIGNED[result.itemsize]).reshape(times, -1)
    if (bits == bits[0]).all():
        return [tiles[0]]
    return [np.minimum.reduce(tiles), np.maximum.reduce(tiles)]
