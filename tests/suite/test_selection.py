"""What a run is about: selections, shares of modes, digests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from conformance.suite import selection
from conformance.suite.selection import Selection, SelectionError, default_root, manifest_digest, select

TEXT = """
  - {name: one, given: {x: [1.0]}, for: {dtype: [float32, float64]}, call: exp(x)}
  - {name: two, given: {x: [1.0]}, call: log(x)}
"""
SUBSETS = """subsets:
  - {backend: torch, mode: compile, because: it takes seconds to compile, variants: ['*[float64]']}
"""


@pytest.fixture
def selected(folder: Callable[..., Path]) -> Callable[..., Selection]:
    """A selection of the cases above by patterns."""
    return lambda *patterns: select(folder(TEXT, **{"subsets.yaml": SUBSETS}), patterns)


def ids(selection: Selection) -> list[str]:
    return [v.id for v in selection.variants]


def test_without_patterns_everything_is_selected(selected: Callable[..., Selection]) -> None:
    assert ids(selected()) == ["things/one[float32]", "things/one[float64]", "things/two[float32]"]
    assert [case.id for case in selected().cases] == ["things/one", "things/two"]


def test_patterns_select_variants_and_add_up(selected: Callable[..., Selection]) -> None:
    assert ids(selected("things/one[float64]")) == ["things/one[float64]"]
    assert ids(selected("*[float32]")) == ["things/one[float32]", "things/two[float32]"]
    assert ids(selected("*two*", "*64]")) == ["things/one[float64]", "things/two[float32]"]
    assert [case.id for case in selected("*two*").cases] == ["things/two"]


@pytest.mark.parametrize("patterns", [("nothing",), ("*two*", "nothing"), ("things/one[float16]",), ("",)])
def test_a_pattern_that_matches_nothing_is_an_error(
    patterns: tuple[str, ...], selected: Callable[..., Selection]
) -> None:
    with pytest.raises(SelectionError, match=r"no variant '.*'; .*'conformance list' shows all of "):
        selected(*patterns)


def test_a_mode_runs_everything_or_its_declared_subset_and_says_what_is_left_out(
    selected: Callable[..., Selection],
) -> None:
    eager = selected().share("torch", "eager")
    assert (eager.count, eager.left_out, eager.because) == (3, 0, "")
    compiled = selected().share("torch", "compile")
    assert (compiled.count, compiled.left_out, compiled.because) == (1, 2, "it takes seconds to compile")
    assert list(compiled.variants) == ["things/one"]
    assert selected().share("other", "compile").count == 3


def test_beyond_subsets_a_variant_runs_that_is_not_in_one_and_by_its_name_alone_it_does_not(
    folder: Callable[..., Path], selected: Callable[..., Selection]
) -> None:
    named = selected("*two*").share("torch", "compile")
    assert (named.count, named.left_out) == (0, 1)
    root = folder(TEXT, **{"subsets.yaml": SUBSETS})
    share = select(root, ["*two*"], beyond_subsets=True).share("torch", "compile")
    assert (share.count, share.left_out, share.because) == (1, 0, "")


def test_a_share_can_be_of_some_cases_only(selected: Callable[..., Selection]) -> None:
    assert selected().share("torch", "eager", ["things/two"]).count == 1
    compiled = selected().share("torch", "compile", ["things/two"])
    assert (compiled.count, compiled.left_out) == (0, 1)


def test_the_digest_changes_with_any_byte_and_any_path(folder: Callable[..., Path]) -> None:
    first = select(folder(TEXT)).corpus.digest
    assert select(folder(TEXT)).corpus.digest == first
    assert select(folder(TEXT.replace("[1.0]", "[1.5]"))).corpus.digest != first
    (folder() / "things.yaml").rename(folder() / "other.yaml")
    assert select(folder()).corpus.digest != first


def test_the_manifests_digest_is_about_the_variants_and_not_their_order() -> None:
    assert manifest_digest(["a", "b"]) == manifest_digest(["b", "a"])
    assert len({manifest_digest(ids) for ids in ([], ["a"], ["b"], ["a", "b"], ["ab"], ["a\nb", "c"])}) == 6


def test_cases_inside_the_package_come_before_those_beside_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Installed, the cases lie inside the package; in a checkout, beside it."""
    package = tmp_path / "conformance"
    package.mkdir()
    monkeypatch.setattr(selection, "__file__", str(package / "suite" / "selection.py"))
    assert default_root() == tmp_path / "cases"
    (package / "cases").mkdir()
    assert default_root() == package / "cases"


def test_the_cases_that_come_with_the_suite_are_the_default(document: Selection) -> None:
    assert document.root is None
    assert document.corpus.root == default_root()
    assert {v.id.split("/")[0] for v in document.variants} == {"document"}


def test_every_registered_divergence_says_where_it_was_seen(document: Selection) -> None:
    """A file without it would demand its deviations on processors and devices that nobody has looked at."""
    assert document.corpus.divergences
    without = [entry.cases for _, entry in document.corpus.divergences if entry.seen_on is None]
    assert without == []
