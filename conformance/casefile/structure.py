"""What in the data of a case file does not fit the model: every mistake, where the decoder stops at the first."""

from __future__ import annotations

from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec

from conformance.casefile.decoder_words import in_words, shown
from conformance.casefile.errors import Mistake, did_you_mean
from conformance.casefile.model import GIVEN_SOURCES, Document, Expect, Given, Instead, Put, SeenOn, Within

_UNKNOWN_FIELD = "Object contains unknown field `"


def mistakes(
    data: Any, kind: type[Any], inside: dict[str, type[Any]], error: msgspec.ValidationError
) -> Iterator[Mistake]:
    """Every mistake in the structure of some data.

    Args:
        data: that does not fit.
        kind: what it was to be.
        inside: of its fields that are lists of entries, the entries' type.
        error: what the decoder said of it.
    """
    found = False
    for mistake in _misfits(data, kind, (), inside):
        found = True
        yield mistake
    if not found:  # what fits field by field, and yet not as a whole
        yield _invalid(error, (), data, kind)


def _misfits(
    data: Any, kind: type[Any], keys: tuple[str | int, ...], inside: dict[str, type[Any]]
) -> Iterator[Mistake]:
    """Each field that does not fit, one by one."""
    if not isinstance(data, dict):
        yield Mistake(f"expected a mapping, found {shown(data)}", keys)
        return
    fields = {f.encode_name: f for f in msgspec.structs.fields(kind)}
    for key in data.keys() - fields.keys():
        yield Mistake(f"unknown key '{key}'{did_you_mean(key, fields)}", (*keys, key), at_key=True)
    for name, f in fields.items():
        if name not in data:
            if f.required:
                yield Mistake(f"'{name}' is missing", keys)
        elif name in inside and isinstance(data[name], list):
            for i, entry in enumerate(data[name]):
                yield from _misfits(entry, inside[name], (*keys, name, i), {})
        elif get_origin(plain := _without_meta(f.type)) is dict and isinstance(data[name], dict):
            key_type, value_type = get_args(plain)
            for key, value in data[name].items():
                yield from _tried(key, key_type, (*keys, name, key), at_key=True)
                yield from _tried(value, value_type, (*keys, name, key))
        else:
            yield from _tried(data[name], f.type, (*keys, name))


def _tried(value: Any, kind: Any, keys: tuple[str | int, ...], at_key: bool = False) -> Iterator[Mistake]:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        yield _invalid(error, keys, value, kind, at_key)


def _invalid(
    error: msgspec.ValidationError, keys: tuple[str | int, ...], value: Any, kind: Any, at_key: bool = False
) -> Mistake:
    message, _, path = str(error).partition(" - at `$")
    parts = list(_path_parts(path.rstrip("`")))
    keys = (*keys, *parts)
    if message.startswith(_UNKNOWN_FIELD):
        unknown = message[len(_UNKNOWN_FIELD) :].rstrip("`")
        message = f"unknown key '{unknown}'{did_you_mean(unknown, _fields_at(keys))}"
        keys, at_key = (*keys, unknown), True
    else:
        message = in_words(message, *_at(value, kind, parts))
        if keys and keys[-1] == "because":  # left empty by who was to fill it in
            message = f"'because' says why, in a sentence: {message}"
    return Mistake(message, keys, at_key=at_key)


def _at(value: Any, kind: Any, parts: list[str | int]) -> tuple[Any, list[str]]:
    """What stands at the end of a path into some data, and the words that are allowed there, if just some are."""
    kinds = [kind]
    for part in parts:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return None, []
        kinds = [inner for one in kinds for inner in _inner(one, part)]
    return value, [word for one in kinds for word in _words_of(one)]


def _inner(kind: Any, part: str | int) -> Iterator[Any]:
    """The kinds of what a mapping, a list or a struct has at a key."""
    for one in _alternatives(kind):
        if hasattr(one, "__struct_config__"):
            yield from (f.type for f in msgspec.structs.fields(one) if f.encode_name == part)
        elif get_origin(one) in (list, dict):
            yield get_args(one)[-1]


def _alternatives(kind: Any) -> list[Any]:
    """The kinds of a union, each without what is said about it."""
    bare = _without_meta(kind)
    if isinstance(bare, UnionType) or get_origin(bare) is Union:
        return [one for member in get_args(bare) for one in _alternatives(member)]
    return [bare]


def _words_of(kind: Any) -> list[str]:
    """The texts among what a kind allows."""
    return [
        word
        for one in _alternatives(kind)
        if get_origin(one) is Literal
        for word in get_args(one)
        if isinstance(word, str)
    ]


def _without_meta(kind: Any) -> Any:
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind


def _fields_at(keys: tuple[str | int, ...]) -> list[str]:
    """The keys a mapping may have, of those nested in a file's entries, by the key it stands under."""
    name = next((key for key in reversed(keys) if isinstance(key, str)), "")
    kinds: dict[str, type[msgspec.Struct]] = {
        "expect": Expect,
        "document": Document,
        "within": Within,
        "instead": Instead,
        "put": Put,
        "seen-on": SeenOn,
    }
    sources = {f.encode_name: f.type for f in msgspec.structs.fields(Given) if f.encode_name in GIVEN_SOURCES}
    for source, union in sources.items():
        kinds[source] = next((kind for kind in get_args(union) if hasattr(kind, "__struct_config__")), Given)
    return [f.encode_name for f in msgspec.structs.fields(kinds.get(name, Given))]


def _path_parts(path: str) -> Iterator[str | int]:
    """The keys of a decoder's path such as ``.x[2].shape``."""
    for part in path.replace("]", "").replace("[", ".").split("."):
        if part.isdigit():
            yield int(part)
        elif part:
            yield part
