"""Scripts that repeat a result without this suite, put together from what a run file holds.

A script is made of parts, so that a page can keep each once and join them: most are the same text for many variants,
and none of those about a variant depends on the backend.

Nothing of a run file is executed here. Its texts come into a script as comments and literals of ASCII characters only,
and its calls go through the case language's parser. What it holds as source, the idioms and the backend's share, must
be what it is said to be (`foreign`), and the script says that nobody has checked it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields

from conformance.backends.scripts import ModeScript
from conformance.casefile.errors import Mistake
from conformance.casefile.expressions import operations_in, parse_call, parse_claim
from conformance.reproduction import foreign, library
from conformance.reproduction.body import body, inputs
from conformance.reproduction.calls import NotPythonError, write
from conformance.reproduction.foreign import ForeignSourceError, comment
from conformance.reproduction.literals import NotStoredError
from conformance.reproduction.spelling import Spelled, spell
from conformance.runfile import CaseLine, Header, Record, VariantLine, plain

_REQUIREMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*==[A-Za-z0-9][A-Za-z0-9.!_-]*")
_PYTHON = re.compile(r"[0-9]+\.[0-9]+")
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")
_SETTING = re.compile(r"[A-Za-z0-9_.=: -]*")
_UNCHECKED = "# What follows is what a run file holds. Nobody has checked it: read it before you run it."


def title(variant: str) -> str:
    """The part of a script that says which variant it repeats."""
    return f"\n\n# Variant {comment(variant)}"


class NoScriptError(ValueError):
    """There can be no script, for a reason that is told."""


@dataclass(frozen=True, slots=True)
class Script:
    """A script in parts, in their order. A part may be empty.

    Attributes:
        head: what must be installed, and the backend's imports, settings and conversions: by run, mode and module.
        helpers: functions that are the same for all backends; few different texts.
        functions: the case's operations as the backend spells them: by run, operations and spelling.
        title: the variant's ID, as a comment.
        inputs: by variant, the same for all backends.
        call: the call, as a function that is run in the mode: by case and grid values, the same for all backends.
        shown: prints the result beside the exact one: by variant, the same for all backends.
        measured: prints the error of the element nearest its budget: by record.
        closing: finds out whether the result shares an input's memory: of few variants.
    """

    head: str
    helpers: str
    functions: str
    title: str
    inputs: str
    call: str
    shown: str
    measured: str
    closing: str

    @property
    def parts(self) -> list[str]:
        """The parts that are there; joined by a newline they are the script."""
        return [text for text in (getattr(self, field.name) for field in fields(self)) if text]

    @property
    def text(self) -> str:
        """The script, with a newline at its end."""
        return "\n".join(self.parts) + "\n"


class Composer:
    """Composes scripts for the results of one run.

    Args:
        header: of the run.
        from_file: whether it was read from a file; what it holds as source is then nobody's word.
        written: input arrays of up to so many elements are written out even where they can be generated.
    """

    def __init__(self, header: Header, from_file: bool = True, written: int = 32) -> None:
        self._header = header
        self._from_file = from_file
        self._written = written
        self._idioms = {(idiom.operation, idiom.name): idiom for idiom in header.idioms}
        self._spelled: dict[tuple[frozenset[str], str, frozenset[str]], Spelled] = {}

    def compose(
        self, case: CaseLine, variant: VariantLine, mode: str, idiom: str = "", record: Record | None = None
    ) -> Script:
        """The script of a variant in a mode.

        Args:
            case: of the variant.
            variant: with its inputs.
            mode: of the run; 'idioms' for another spelling.
            idiom: that spelling, empty for the primary one.
            record: what came of it, where that is known.

        Raises:
            NoScriptError: there is none, and why.
        """
        share, backend = self._header.scripts.get(mode), self._header.backend
        if share is None:
            raise NoScriptError(f"backend '{backend}' has not said how a script runs something in its mode '{mode}'")
        if variant.check == "gradient" and not share.gradients:
            raise NoScriptError(f"backend '{backend}' has no gradients")
        try:
            return self._composed(share, case, variant, mode, idiom, record)
        except KeyError as error:
            raise NoScriptError(f"backend '{backend}' has no idiom for {error.args[0][0]}") from None
        except ForeignSourceError as error:
            raise NoScriptError(f"what backend '{backend}' says can't be part of a script: {error}") from None
        except Mistake as mistake:
            raise NoScriptError(f"the call of case '{case.id}' can't be read: {mistake.message}") from None
        except NotPythonError as error:
            raise NoScriptError(f"the call of case '{case.id}' does not fit its inputs: {error}") from None
        except NotStoredError as error:
            raise NoScriptError(str(error)) from None
        except RecursionError:
            raise NoScriptError("it is nested too deeply") from None

    def _composed(
        self, share: ModeScript, case: CaseLine, variant: VariantLine, mode: str, idiom: str, record: Record | None
    ) -> Script:
        names = foreign.names_of(share)
        expression = parse_claim(case.call) if case.claim else parse_call(case.call)
        spelled = self._spell(frozenset(operations_in(expression)), idiom, names)
        bindings = {name: plain(value) for name, value in variant.bindings.items()}
        taken = {*library.NAMES, *names, *spelled.names}
        statements = write(expression, list(variant.inputs), bindings, taken, spelled.positional, spelled.signs)
        given = inputs(variant, statements, self._written)
        texts = body(case, variant, statements, expression, record, bool(share.fill))
        script = "\n".join((given, *texts))
        return Script(
            self._head(share, mode, spelled, script),
            f"\n\n{library.part(script)}",
            f"\n\n{spelled.text}" if spelled.text else "",
            title(variant.id),
            given,
            *texts,
        )

    def _spell(self, operations: frozenset[str], idiom: str, names: frozenset[str]) -> Spelled:
        key = (operations, idiom, names)
        if key not in self._spelled:
            self._spelled[key] = spell(self._idioms, operations, idiom, names)
        return self._spelled[key]

    def _head(self, share: ModeScript, mode: str, spelled: Spelled, script: str) -> str:
        settings = [f'os.environ["{n}"] = "{v}"' for n, v in spelled.settings if f'"{n}"' not in share.opening]
        settings = [*self._held(), *settings]
        imports = [f"import {module}" for module in dict.fromkeys(spelled.modules)]
        requires = [text for text in (*share.requires, *spelled.requires) if _REQUIREMENT.fullmatch(text)]
        requires = [text for text in requires if "bfloat16" in script or not text.startswith("ml-dtypes==")]
        lines = self._about(mode, requires)
        lines += ["import os", "", *settings, ""] if settings else []
        lines += [share.opening.strip(), *(["", *imports] if imports else [])]
        used = ["native", "numbers_of", "in_mode"]
        used += [name for name in ("dtype_named", "gradients") if f"{name}(" in script]
        used += ["fill"] if "shows(" in script else []
        return "\n\n\n".join(["\n".join(lines), *(getattr(share, name).strip() for name in used)])

    def _held(self) -> list[str]:
        """What holds the framework to the run's kernels, before it is imported.

        Raises:
            ForeignSourceError: what the run file says is no such variable.
        """
        variables = self._header.held.variables if self._header.held else {}
        for name, value in variables.items():
            if not (_VARIABLE.fullmatch(name) and _SETTING.fullmatch(value)):
                raise ForeignSourceError("the variables that held it to its kernels are none")
        return [f'os.environ["{name}"] = "{value}"' for name, value in variables.items()]

    def _about(self, mode: str, requires: Sequence[str]) -> list[str]:
        """The metadata by which ``uv run`` and ``pipx run`` install what is needed, and where the result came."""
        header, environment = self._header, self._header.environment
        python = _PYTHON.match(environment.get("python", ""))
        version = next(iter(header.versions.values()), "")
        quoted = ", ".join(f'"{text}"' for text in requires)
        machine = ", ".join(filter(None, (environment.get("system"), environment.get("processor"))))
        mode += f", held to {header.held_to}" if header.held else ""
        return [
            "# /// script",
            *([f'# requires-python = "=={python[0]}.*"'] if python else []),
            f"# dependencies = [{quoted}]",
            "# ///",
            "",  # ends the metadata, whatever comes next
            f"# On {comment(f'{header.backend} {version}, mode {mode}, {header.device}')}; on {comment(machine)},",
            "# and perhaps not everywhere. Run it with 'uv run FILE' or 'pipx run FILE', or after",
            f"# pip install {' '.join(requires)}",
            *([_UNCHECKED] if self._from_file else []),
            "",
        ]
