"""A mode's digest: the same whatever the order, another for any other variants."""

from __future__ import annotations

import itertools

from conformance.runfile.manifest import Manifest, digest

KEYS = [("a/b[x]", ""), ("a/b[y]", ""), ("a/b[x]", "torch.exp"), ("a/b[x", "]")]


def test_the_order_does_not_count_and_everything_else_does() -> None:
    assert len({digest(keys) for keys in itertools.permutations(KEYS)}) == 1
    some = [keys for size in range(len(KEYS) + 1) for keys in itertools.combinations(KEYS, size)]
    assert len({digest(keys) for keys in some}) == len(some) == 16
    assert digest([KEYS[0], KEYS[0]]) != digest([KEYS[0]]) != digest([])
    assert all(len(digest(keys)) == 64 for keys in some)


def test_it_is_worked_out_while_records_come() -> None:
    manifest = Manifest()
    for key in KEYS:
        manifest.add(*key)
    assert manifest.digest == digest(KEYS)
    assert digest([]) == "0" * 64
