"""A line that was written is read back as it was, and no other bytes are taken for it."""

from __future__ import annotations

import json
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.runfile import CaseLine, FindingLine, Footer, Line, Record, Stored, VariantLine
from conformance.runfile.sealing import LineError, check_seal, decode, encode, is_sealed, seal

texts = st.text(st.characters(codec="utf-8"), max_size=12)
counts = st.integers(0, 2**53 - 1)
numbers = st.none() | st.floats(allow_nan=False, allow_infinity=False)
arrays = st.builds(Stored, texts, st.lists(st.integers(-(2**62), 2**62), max_size=3), texts, texts)
lines: st.SearchStrategy[Line] = st.one_of(
    st.builds(CaseLine, texts, texts, texts, texts, texts, texts, st.booleans(), texts),
    st.builds(
        VariantLine, texts, texts, texts, st.dictionaries(texts, arrays, max_size=2), st.none() | arrays,
        st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=2), texts, texts, texts,
    ),
    st.builds(
        Record, texts, texts, texts, texts, st.lists(st.builds(FindingLine, texts, texts, texts, texts, counts), max_size=2),
        st.lists(arrays, max_size=2), texts, numbers, numbers, st.lists(st.integers(0, 9), max_size=2), texts, numbers,
    ),
    st.builds(Footer, st.dictionaries(texts, st.dictionaries(texts, counts, max_size=2), max_size=2), texts, counts),
)  # fmt: skip


@settings(deadline=None)
@given(lines)
def test_a_line_comes_back_as_it_was_and_is_one_line_of_json(line: Line) -> None:
    raw = encode(line)
    assert decode(raw) == line
    assert raw.count(b"\n") == 1 and raw.endswith(b"\n")
    assert list(json.loads(raw))[-1] == "crc32"


@settings(deadline=None)
@given(lines, st.data())
def test_changed_bytes_are_no_line(line: Line, data: st.DataObject) -> None:
    raw = bytearray(encode(line))
    start = data.draw(st.integers(0, len(raw) - 1))
    other = data.draw(st.binary(min_size=1, max_size=4))  # a checksum of 32 bits tells every change of up to four bytes
    if raw[start : start + len(other)] == other:
        return
    raw[start : start + len(other)] = other
    with pytest.raises(LineError):
        decode(bytes(raw))


@settings(deadline=None)
@given(lines, st.data())
def test_a_line_that_was_cut_is_no_line(line: Line, data: st.DataObject) -> None:
    raw = encode(line)
    with pytest.raises(LineError, match="a line without its checksum"):
        decode(raw[: data.draw(st.integers(0, len(raw) - 1))])


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=80))
def test_bytes_from_anywhere_are_no_line_whether_or_not_they_have_a_checksum(content: bytes) -> None:
    for raw in (content, seal(content + b"}"), seal(b'{"kind":"record",' + content + b"}")):
        with pytest.raises(LineError):
            decode(raw)


def test_the_checksum_is_that_of_everything_before_it() -> None:
    assert seal(b'{"a":1}') == b'{"a":1,"crc32":"%08x"}\n' % zlib.crc32(b'{"a":1')
    check_seal(seal(b'{"a":1}'))
    assert is_sealed(seal(b"{}")) and not is_sealed(b"{}\n") and not is_sealed(b"")


def test_what_a_later_version_adds_is_left_aside_unless_it_is_said_twice() -> None:
    line = Footer({}, "t", 0)
    plain = json.dumps(json.loads(encode(line)) | {"mood": {"a": [1, 2.5, None]}}, indent=None)
    body = plain.partition(', "crc32"')[0].encode()
    assert decode(seal(body + b', "mood": {"a": [1, 2.5, null]}}')) == line
    with pytest.raises(LineError, match="the key 'a' comes twice"):
        decode(seal(body + b', "mood": {"a": 1, "a": 1}}'))
