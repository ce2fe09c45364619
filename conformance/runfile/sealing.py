"""A line of a run file as bytes: JSON whose last field is a checksum of everything before it.

Disks, networks and hands change files. A checksum in each line tells which one is not as it was written; one for the
whole file could not, and an unfinished run would have none.
"""

from __future__ import annotations

import json
import zlib
from typing import Any

import msgspec

from conformance.runfile.lines import Line

_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Line)
_FIELD = b',"crc32":"'
_END = b'"}\n'
_SEAL = len(_FIELD) + 8 + len(_END)


class LineError(ValueError):
    """Bytes that are no line of a run file, or no longer the line that was written."""


def encode(line: Line) -> bytes:
    """The line with its checksum and the newline that ends it."""
    return seal(_ENCODER.encode(line))


def seal(text: bytes) -> bytes:
    """A JSON object with its checksum as a last field, and a newline."""
    body = text[:-1]
    return b"%b%b%08x%b" % (body, _FIELD, zlib.crc32(body), _END)


def is_sealed(raw: bytes) -> bool:
    """Whether a line ends with a checksum, right or wrong."""
    return len(raw) > _SEAL and raw[-_SEAL:].startswith(_FIELD) and raw.endswith(_END)


def check_seal(raw: bytes) -> None:
    """Hold a line against its checksum.

    Raises:
        LineError: it has none, or another one.
    """
    if not is_sealed(raw):
        raise LineError("a line without its checksum: it was cut, or written by something else")
    body, end = memoryview(raw)[:-_SEAL], raw[-_SEAL:]
    if end[len(_FIELD) : -len(_END)] != b"%08x" % zlib.crc32(body):
        raise LineError("its checksum does not match: it was changed after it was written")


def decode(raw: bytes) -> Line:
    """The line that some bytes, newline included, say.

    Raises:
        LineError: they are no line of a run file, or are damaged.
    """
    check_seal(raw)
    try:
        line = _DECODER.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise LineError(f"not a line of a run file: {error}") from None
    except RecursionError:
        raise _too_deep() from None
    if encode(line) != raw:  # it was not written by this version: a later one may have fields that this one ignores
        _refuse_duplicates(raw)
    return line


def _refuse_duplicates(raw: bytes) -> None:
    """Refuse a key that comes twice, of which readers would see the first or the last as they please."""

    def checked(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise LineError(f"not a line of a run file: the key '{twice}' comes twice")
        return found

    try:
        json.loads(raw, object_pairs_hook=checked)
    except LineError:
        raise
    except ValueError as error:  # in a field that is not ours: what is skipped is not looked at
        raise LineError(f"not a line of a run file: {error}") from None
    except RecursionError:
        raise _too_deep() from None


def _too_deep() -> LineError:
    return LineError("not a line of a run file: it is nested too deeply")
