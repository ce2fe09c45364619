"""Cases are dealt out evenly, each to one hand, whatever order they come in."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.suite import sharding
from conformance.suite.selection import select

CASES = st.dictionaries(st.text(min_size=1, max_size=20), st.integers(1, 50), max_size=40)


@given(weights=CASES, hands=st.integers(1, 9), seed=st.integers())
def test_every_case_is_in_one_hand_whatever_order_cases_come_in(weights: dict[str, int], hands: int, seed: int) -> None:
    dealt = sharding.deal(weights, hands)
    assert len(dealt) == hands
    assert sorted(case for hand in dealt for case in hand) == sorted(weights)
    shuffled = list(weights.items())
    random.Random(seed).shuffle(shuffled)
    assert sharding.deal(dict(shuffled), hands) == dealt


@given(weights=CASES, hands=st.integers(1, 9))
def test_hands_differ_by_no_more_than_the_heaviest_case(weights: dict[str, int], hands: int) -> None:
    loads = [sum(weights[case] for case in hand) for hand in sharding.deal(weights, hands)]
    assert max(loads) - min(loads) <= max(weights.values(), default=0)


def test_shards_of_the_suites_own_cases_are_of_nearly_one_size() -> None:
    weights: dict[str, int] = {}
    for variant in select().variants:
        weights[variant.case.id] = weights.get(variant.case.id, 0) + 1
    loads = [sum(weights[case] for case in hand) for hand in sharding.deal(weights, 8)]
    assert max(loads) - min(loads) <= 2


def test_a_shard_is_read_from_its_text() -> None:
    assert sharding.parse("3/8") == (3, 8)
    assert sharding.parse("1/1") == (1, 1)


@pytest.mark.parametrize("text", ["", "3", "0/8", "9/8", "3/0", "a/b", "3/8/9", "-1/8", "3 / 8", "١/٨", "1/9999999"])
def test_what_is_no_shard_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="is no shard; expected its number and how many there are, such as 3/8"):
        sharding.parse(text)
