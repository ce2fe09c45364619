"""The operations of a case as a run's backend spells them, as part of a script."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from conformance.backends.idioms import operators
from conformance.reproduction import foreign, library
from conformance.reproduction.foreign import ForeignSourceError, comment
from conformance.runfile import IdiomSource

_MODULE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")
_SETTING = re.compile(r"([A-Z][A-Z0-9_]*)=([A-Za-z0-9_.-]*)")


@dataclass(slots=True)
class Spelled:
    """The operations of a case as the backend spells them.

    Attributes:
        text: their source.
        names: the names that it binds.
        positional: the parameters that each takes by position.
        signs: the operators that are written with their sign.
        modules: what must be imported.
        settings: the environment variables that must be set before.
        requires: what must be installed.
    """

    text: str = ""
    names: set[str] = field(default_factory=set)
    positional: dict[str, list[str]] = field(default_factory=dict)
    signs: list[str] = field(default_factory=list)
    modules: list[str] = field(default_factory=list)
    settings: list[tuple[str, str]] = field(default_factory=list)
    requires: list[str] = field(default_factory=list)


def spell(
    idioms: Mapping[tuple[str, str], IdiomSource], operations: frozenset[str], idiom: str, names: frozenset[str]
) -> Spelled:
    """Spell operations out.

    Args:
        idioms: by operation and name.
        operations: which.
        idiom: in which spelling, where an operation has it; empty for the primary one.
        names: what the backend's share of a script binds.

    Raises:
        KeyError: the backend has no idiom for that operation.
        ForeignSourceError: a source that can't be used.
    """
    texts: list[str] = []
    spelled = Spelled()
    for operation in sorted(operations):
        source = idioms.get((operation, idiom)) or idioms[operation, ""]
        if operators.is_sign(operation, source.source):
            spelled.signs.append(operation)
            continue
        try:
            texts.append(_definition(source, operation, operations, names, spelled))
        except ForeignSourceError as error:
            what = f"{operation}, {source.name}" if source.name else operation
            raise ForeignSourceError(f"the idiom of {what} can't be used: {error}") from None
    spelled.text = "\n\n\n".join(texts)
    return spelled


def _definition(
    source: IdiomSource, operation: str, operations: frozenset[str], names: frozenset[str], spelled: Spelled
) -> str:
    """An idiom under its operation's name."""
    found = foreign.function(source.source)
    available = set(names)
    if source.imports:
        if not _MODULE.fullmatch(source.imports):
            raise ForeignSourceError("what it imports is no module")
        available.add(source.imports.partition(".")[0])
        spelled.modules.append(source.imports)
        spelled.requires.append(source.needs.replace(" ", "=="))
    if setting := _SETTING.fullmatch(source.setting):
        spelled.settings.append((setting[1], setting[2]))
    foreign.check_needs(source.source, available)
    if hidden := foreign.needs(source.source) & operations:
        raise ForeignSourceError(f"it needs {', '.join(sorted(hidden))}, which is the name of an operation here")
    if found.name in {*library.NAMES, *names, *(operations - {operation})}:
        raise ForeignSourceError(f"it is called {found.name}, a name that the script has for something else")
    spelled.names |= {found.name, operation}
    spelled.positional[operation] = foreign.positional(found)
    about = f"# Spelling {comment(source.name)}\n" if source.name else ""
    alias = f"\n\n\n{operation} = {found.name}" if found.name != operation else ""
    return f"{about}{source.source.strip()}{alias}"
