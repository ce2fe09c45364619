"""What in the data of a case file does not fit the model: every mistake, where the decoder stops at the first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, get_args, get_origin

import msgspec

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
        yield _invalid(error, ())


def _misfits(
    data: Any, kind: type[Any], keys: tuple[str | int, ...], inside: dict[str, type[Any]]
) -> Iterator[Mistake]:
    """Each field that does not fit, one by one."""
    if not isinstance(data, dict):
        yield Mistake(f"expected a mapping, found {'nothing' if data is None else type(data).__name__}", keys)
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
        yield _invalid(error, keys, at_key)


def _invalid(error: msgspec.ValidationError, keys: tuple[str | int, ...], at_key: bool = False) -> Mistake:
    message, _, path = str(error).partition(" - at `$")
    keys = (*keys, *_path_parts(path.rstrip("`")))
    if message.startswith(_UNKNOWN_FIELD):
        unknown = message[len(_UNKNOWN_FIELD) :].rstrip("`")
        message = f"unknown key '{unknown}'{did_you_mean(unknown, _fields_at(keys))}"
        keys, at_key = (*keys, unknown), True
    return Mistake(message[0].lower() + message[1:], keys, at_key=at_key)


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
