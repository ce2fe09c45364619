"""How mistakes are told."""

from __future__ import annotations

import pytest

from conformance.casefile.errors import CaseFileError, Problem, did_you_mean


def test_a_problem_is_one_line_that_editors_can_follow() -> None:
    assert (
        str(Problem("cases/a.yaml", 12, 11, "unknown operation 'sofmax'"))
        == "cases/a.yaml:12:11: unknown operation 'sofmax'"
    )


def test_problems_come_in_reading_order_whatever_order_they_were_found_in() -> None:
    found = [Problem("b", 1, 1, "3"), Problem("a", 10, 1, "2"), Problem("a", 9, 80, "1b"), Problem("a", 9, 3, "1a")]
    error = CaseFileError(found)
    assert [p.message for p in error.problems] == ["1a", "1b", "2", "3"]
    assert str(error).splitlines() == ["a:9:3: 1a", "a:9:80: 1b", "a:10:1: 2", "b:1:1: 3"]
    assert isinstance(error, ValueError)


@pytest.mark.parametrize(
    ("word", "known", "hint"),
    [
        ("sofmax", ["sigmoid", "softmax"], "; did you mean 'softmax'?"),
        ("qqq", ["sigmoid", "softmax"], "; known are sigmoid, softmax"),
        ("qqq", [], ""),
    ],
)
def test_the_nearest_word_is_offered_or_else_all_of_them(word: str, known: list[str], hint: str) -> None:
    assert did_you_mean(word, iter(known)) == hint
