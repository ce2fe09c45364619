"""What outlives a call and is not its result: noticed when it changes, and put back.

A call that reseeds NumPy's generator, sets an environment variable or prints is a defect of its adapter: results of
other variants and other backends would come to depend on it. Every call of a run is watched, so looking has to be
cheap: both global generators are compared by the memory that holds them (0.1 µs; `random.getstate` and
`numpy.random.get_state` build 625 numbers each time, 10 and 20 µs).
"""

from __future__ import annotations

import ctypes
import io
import os
import platform
import random
import struct
import sys
import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

_MERSENNE_TWISTER = 624
"""Words of 32 bits in the state of the generator that Python and NumPy use globally; a position stands beside them."""

_MOST_QUOTED = 60


@dataclass(frozen=True, slots=True)
class Change:
    """Something that is not as it was.

    Attributes:
        expected: how it should have stayed, in words.
        got: what became of it.
    """

    expected: str
    got: str


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the state of the process.

    Attributes:
        what: its name.
        read: gives something to compare by ``==``, cheaply.
        restore: puts back what `keep` gave; None where nothing can put it back.
        keep: gives all that `restore` needs; None where that is what `read` gives.
        fixed: it is as it was when the watch was set up, and is put back before a call too, whoever changed it.
        differ: says how two readings differ; nothing where they differ in nothing that matters.
    """

    what: str
    read: Callable[[], Any]
    restore: Callable[[Any], object] | None
    keep: Callable[[], Any] | None = None
    fixed: bool = False
    differ: Callable[[Any, Any], str] = lambda before, after: "another"


def _memory_of_pythons_generator() -> Callable[[], Any]:
    """Reads the memory of Python's global generator where it can be found, and its state otherwise.

    The object's layout is no promise of Python's, so the words are looked for in it, and the position before them.
    """
    generator = random._inst  # the instance whose methods the module's functions are
    if platform.python_implementation() != "CPython":
        return generator.getstate
    *words, position = generator.getstate()[1]
    size = type(generator).__basicsize__
    expected = struct.pack(f"@i{_MERSENNE_TWISTER}I", position, *words)
    at = ctypes.string_at(id(generator), size).find(expected)
    if at < 0:
        return generator.getstate
    memory = (ctypes.c_char * len(expected)).from_address(id(generator) + at)
    return lambda: memory.raw


def _memory_of_numpys_generator() -> Callable[[], Any]:
    """Reads the memory of NumPy's global generator; its state where it is another one than the Mersenne Twister.

    Normal numbers come in pairs, and the second of a pair is kept elsewhere: taking that one alone goes unseen.
    """
    first = np.random.mtrand.get_bit_generator()
    if not isinstance(first, np.random.MT19937):
        return lambda: repr(np.random.mtrand.get_bit_generator().state)
    # The address of `struct {uint32_t key[624]; int pos;}`, which NumPy gives to extensions.
    memory = (ctypes.c_char * ((_MERSENNE_TWISTER + 1) * 4)).from_address(first.ctypes.state_address)

    def read() -> Any:
        generator = np.random.mtrand.get_bit_generator()
        return memory.raw if generator is first else repr(generator.state)

    return read


def _keep_numpys_generator() -> tuple[Any, Any]:
    return np.random.mtrand.get_bit_generator(), np.random.get_state(legacy=False)


def _restore_numpys_generator(kept: tuple[Any, Any]) -> None:
    generator, values = kept
    np.random.mtrand.set_bit_generator(generator)
    np.random.set_state(values)


def _current_directory() -> str:
    try:
        return os.getcwd()
    except FileNotFoundError:  # somebody removed it
        return ""


def _read_environment() -> dict[Any, Any]:
    """The variables as `os.environ` keeps them: its public face decodes each, which takes 50 times as long."""
    return dict(vars(os.environ)["_data"])


def _restore_environment(kept: Mapping[str, str]) -> None:
    for name in os.environ.keys() - kept.keys():
        del os.environ[name]
    os.environ.update({name: value for name, value in kept.items() if os.environ.get(name) != value})


def _variables(before: Mapping[Any, Any], after: Mapping[Any, Any], own: Sequence[str] = ()) -> str:
    changed = (os.fsdecode(k) for k in before.keys() | after.keys() if before.get(k) != after.get(k))
    return ", ".join(sorted(name for name in changed if not name.startswith(tuple(own))))


def _environment(own: Sequence[str] = ()) -> Part:
    """The environment variables, but for those with the prefixes `own`."""
    return Part(
        "environment variables",
        _read_environment,
        _restore_environment,
        lambda: dict(os.environ),
        differ=lambda before, after: _variables(before, after, own),
    )


def _restore_filters(kept: tuple[Any, ...]) -> None:
    warnings.resetwarnings()  # tells the modules' registries of what was shown already that the filters are others
    warnings.filters[:] = kept  # type: ignore[index]  # a list, which is typed as a sequence


def _settings(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {after.get(name)}" for name in before if before[name] != after.get(name))


_smallest_normal = sys.float_info.min

_RANDOM = (
    Part("Python's random state", _memory_of_pythons_generator(), random.setstate, random.getstate),
    Part("NumPy's random state", _memory_of_numpys_generator(), _restore_numpys_generator, _keep_numpys_generator),
)
_OTHERS = (
    Part("NumPy's errstate", np.geterr, lambda kept: np.seterr(**kept), differ=_settings),
    Part("the current directory", _current_directory, lambda kept: os.chdir(kept or os.sep)),
    Part(
        "how the processor treats subnormal numbers",
        lambda: _smallest_normal * 0.5 != 0.0,
        None,
        fixed=True,
        differ=lambda before, after: "they are flushed to zero",
    ),
)
_FILTERS = Part("the warnings filters", lambda: tuple(warnings.filters), _restore_filters)

AT_START = (*_RANDOM, *_OTHERS)
"""What starting a framework has to leave alone. Importing one sets environment variables and warnings filters."""

AT_IMPORT = (*AT_START, _environment())
"""What importing an adapter, which imports no framework yet, has to leave alone."""


def of_calls(own_variables: Sequence[str] = ()) -> tuple[Part, ...]:
    """What a call has to leave alone.

    Args:
        own_variables: prefixes of environment variables that a framework sets for itself while it runs.
    """
    return (*AT_START, _environment(own_variables), _FILTERS)


class _Heard(io.StringIO):
    """Stands for an output stream: keeps what is printed, and is the stream in everything else."""

    stream: Any = None

    def forget(self) -> None:
        """Keep nothing of what was printed."""
        self.seek(0)
        self.truncate()

    def close(self) -> None:
        """Stay open: the stream is not the call's to close."""

    def fileno(self) -> int:
        """The stream's own."""
        return int(self.stream.fileno())


class Watch:
    """Watches a part of a program: within ``with watch:`` every change counts, and is put back at its end.

    One inside the other counts what changed since the one before it ended. So a loop whose body is watched is cheaper
    within a ``with watch:`` of its own, which reads everything once instead of before each turn.

    Args:
        parts: of the state.
        settings: of a framework, by name, that calls have to leave as they are (the default dtype).
        restore: puts settings back.

    Attributes:
        changes: what changed the last time.
    """

    def __init__(
        self,
        parts: Collection[Part],
        settings: Callable[[], Mapping[str, Any]] | None = None,
        restore: Callable[[Mapping[str, Any]], None] | None = None,
    ) -> None:
        own = (Part("the framework's settings", settings, restore, fixed=True, differ=_settings),) if settings else ()
        self._parts = (*parts, *own)
        self._reads = [part.read for part in self._parts]
        self._seen = [read() for read in self._reads]
        self._kept = [part.keep() if part.keep else seen for part, seen in zip(self._parts, self._seen, strict=True)]
        self._depth = 0
        self._streams: tuple[Any, Any] = (None, None)
        self._stdout, self._stderr = _Heard(), _Heard()
        self.changes: list[Change] = []

    def __enter__(self) -> Watch:
        self.changes = []
        if not self._depth:
            self.settle()
            self._streams = self._stdout.stream, self._stderr.stream = sys.stdout, sys.stderr
            sys.stdout, sys.stderr = self._stdout, self._stderr
        self._depth += 1
        return self

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        sys.stdout, sys.stderr = (self._stdout, self._stderr) if self._depth else self._streams
        self.changes = []
        now = [read() for read in self._reads]
        if now != self._seen:
            for i, (part, seen) in enumerate(zip(self._parts, now, strict=True)):
                if seen != self._seen[i]:
                    self._put_back(i, part, seen)
        for name, heard in (("stdout", self._stdout), ("stderr", self._stderr)):
            if heard.tell():
                self.changes.append(Change(f"nothing on {name}", _quoted(heard.getvalue())))
                heard.forget()

    def settle(self) -> None:
        """Take everything as given that is not as it was when last seen: nobody is to blame for it."""
        now = [read() for read in self._reads]
        if now != self._seen:
            for i, (part, seen) in enumerate(zip(self._parts, now, strict=True)):
                if seen != self._seen[i]:
                    self._settle(i, part, seen)
        self._stdout.forget()
        self._stderr.forget()

    def _settle(self, i: int, part: Part, seen: Any) -> None:
        """Something is not as it was when last seen, by nobody's fault: take that as given, or put it back."""
        if not part.fixed:
            self._seen[i], self._kept[i] = seen, part.keep() if part.keep else seen
        elif part.restore is not None:
            part.restore(self._kept[i])

    def _put_back(self, i: int, part: Part, seen: Any) -> None:
        came = part.differ(self._seen[i], seen)
        if not came:
            self._settle(i, part, seen)
            return
        if part.restore is None:
            self.changes.append(Change(f"{part.what} as before", came))
            return
        part.restore(self._kept[i])
        self.changes.append(Change(f"{part.what} as before", f"{came} (put back)"))


def in_short(changes: Sequence[Change]) -> str:
    """Changes in a line."""
    return "; ".join(f"expected {change.expected}, got {change.got}" for change in changes)


def _quoted(text: str) -> str:
    line = " ".join(text.split())
    return repr(line if len(line) <= _MOST_QUOTED else line[:_MOST_QUOTED] + "…")
