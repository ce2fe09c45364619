"""Terms of queries as links hold them."""

from __future__ import annotations

import pytest

from conformance.reports.shared.query import term


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("softmax", "op=softmax"),
        ("torch 2.13.0", 'op="torch 2.13.0"'),
        ('say "no"', 'op="say \\"no\\""'),
        ("a\\b", 'op="a\\\\b"'),
        ("two\nlines\r", 'op="two\\nlines\\r"'),
        ("", 'op=""'),
        ("a|b*", 'op="a|b*"'),
    ],
)
def test_a_value_is_quoted_where_it_must_be_and_stays_on_one_line(value: str, written: str) -> None:
    assert term("op", value) == written
    assert term("op", value, ":") == written.replace("=", ":", 1)
