"""Cases dealt out to several machines, or to several processes of one."""

from __future__ import annotations

import hashlib
import heapq
import re
from collections.abc import Mapping


def parse(text: str) -> tuple[int, int]:
    """The number of a shard, and of how many, from '3/8'.

    Raises:
        ValueError: it is no such text.
    """
    found = re.fullmatch(r"([1-9][0-9]{0,5})/([1-9][0-9]{0,5})", text)
    number, of = (int(found[1]), int(found[2])) if found else (1, 0)
    if number > of:
        raise ValueError(f"'{text}' is no shard; expected its number and how many there are, such as 3/8")
    return number, of


def deal(weights: Mapping[str, int], hands: int) -> list[set[str]]:
    """Deal cases out into hands of nearly the same weight.

    The heaviest first, each to the lightest hand; among equals the digest of the ID decides. So it depends on the IDs
    and the weights alone, and not on the order of files; and a case is in one hand with all its modes, because they
    share its exact answers.

    Args:
        weights: by case ID, how many results it gives.
        hands: how many.
    """
    order = sorted(weights, key=lambda case: (-weights[case], hashlib.sha256(case.encode()).digest()))
    dealt: list[set[str]] = [set() for _ in range(hands)]
    lightest = [(0, number) for number in range(hands)]
    for case in order:
        weight, number = lightest[0]
        dealt[number].add(case)
        heapq.heapreplace(lightest, (weight + weights[case], number))
    return dealt
