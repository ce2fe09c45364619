"""Source from run files: what can't be part of a script is refused, and nothing is executed."""

from __future__ import annotations

import msgspec
import pytest

from conformance import backends
from conformance.backends.numpy import NumpyBackend
from conformance.backends.scripts import ModeScript, renamed, source_of
from conformance.reproduction.foreign import (
    ForeignSourceError,
    bound,
    check_needs,
    comment,
    function,
    names_of,
    needs,
    parsed,
    positional,
)


@pytest.mark.parametrize(
    "source",
    [
        "def f(x:",
        "x = '",
        "\0",
        "def f(x):\n    return x\\",
        "(" * 1000,
        'f"{',
        "x = 1 # \u202e",
        "\x0cx = 1",
        "x\r= 1",
    ],
)
def test_what_does_not_parse_or_hides_characters_is_refused(source: str) -> None:
    with pytest.raises(ForeignSourceError):
        parsed(source)


@pytest.mark.parametrize(
    "source",
    [
        "",
        "import os",
        "def f(x):\n    return x\n\nimport os",
        "import os\ndef f(x):\n    return x",
        "@atexit.register\ndef f():\n    pass",
        "async def f():\n    pass",
        "class f:\n    pass",
        "f = lambda x: x",
    ],
)
def test_what_is_not_one_plain_function_is_refused(source: str) -> None:
    with pytest.raises(ForeignSourceError, match="not one plain function"):
        function(source)


def test_the_parameters_by_position_and_the_global_names_of_a_function() -> None:
    source = "def f(a, b=np.pi, /, c=1, *, d: T = None):\n    return [g(i, len(a)) for i in b if (lambda: h)()]\n"
    assert positional(function(source)) == ["a", "b", "c"]
    assert needs(source) == {"np", "T", "g", "len", "h"}
    check_needs(source, {"np", "T", "g", "h"})
    with pytest.raises(ForeignSourceError, match="it needs g, h, which a script does not have"):
        check_needs(source, {"np", "T"})


def test_a_function_that_calls_itself_needs_nothing_more() -> None:
    assert needs("def f(n):\n    return f(n - 1)") == frozenset()


def test_the_names_that_an_opening_binds() -> None:
    assert bound("import os.path\nimport jax.numpy as jnp\nfrom a import b as c\nplace = jnp.x\nplace.y = 1\n") == {
        "os", "jnp", "c", "place",
    }  # fmt: skip


@pytest.mark.parametrize("name", backends.names())
def test_the_shares_of_our_own_backends_are_what_they_must_be(name: str) -> None:
    kind = backends.load(name)
    for mode in kind.modes:
        for device in ("cpu", "gpu"):
            share = kind.script(mode, device)
            assert share is not None
            assert {"np", "native", "numbers_of", "in_mode"} <= names_of(share)


SHARE = NumpyBackend.script("eager")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"opening": "import ("}, "can't be parsed"),
        ({"native": "def other(array):\n    return array"}, "'native' is not what it defines"),
        ({"native": ""}, "not one plain function"),
        ({"in_mode": "def in_mode(function):\n    return compiled(function)"}, "it needs compiled"),
        ({"gradients": "x = 1"}, "not one plain function"),
    ],
)
def test_a_share_that_is_not_made_of_its_functions_is_refused(changes: dict[str, str], message: str) -> None:
    with pytest.raises(ForeignSourceError, match=message):
        names_of(msgspec.structs.replace(SHARE, **changes))


def test_a_share_may_lack_gradients_and_writing() -> None:
    names_of(ModeScript(SHARE.opening, (), SHARE.native, SHARE.numbers_of, SHARE.in_mode, SHARE.dtype_named))


def test_a_comment_is_one_line_of_characters_that_show() -> None:
    assert comment("a\nb\r\u2028c \u202e\\ é") == "a b c \\u202e\\\\ \\xe9"


def test_a_function_is_renamed_where_it_is_defined_and_nowhere_else() -> None:
    assert renamed(_double, "in_mode") == 'def in_mode(_double):\n    """Of def _double(x)."""\n    return _double'
    assert source_of(_double).startswith("def _double(")


def _double(_double):
    """Of def _double(x)."""
    return _double
