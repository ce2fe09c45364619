"""Python source with syntax colours: what idioms look like in a report."""

from __future__ import annotations

from markupsafe import Markup, escape
from pygments.lexers import PythonLexer
from pygments.token import Comment, Keyword, Name, Number, Operator, String

from conformance.words.visible import visible

_LEXER = PythonLexer(stripnl=False, ensurenl=False)
_CLASSES = (
    (Keyword, "k"),
    (Operator.Word, "k"),
    (Name.Function, "f"),
    (String, "s"),
    (Number, "m"),
    (Comment, "c"),
)
"""Kinds of tokens that have a colour, each with its class in `base.css`; of the rest plain text is shown."""


def highlighted(source: str) -> list[Markup]:
    """The lines of some source, escaped, with the tokens of some kinds in spans.

    What is no Python comes out in fewer colours. Source is neither executed nor refused.
    """
    text = Markup("")
    for kind, token in _LEXER.get_tokens(visible(source.rstrip("\n"))):
        name = next((name for family, name in _CLASSES if kind in family), "")
        # A token of several lines, such as a docstring, has a span on each.
        lines = [Markup('<span class="{}">{}</span>').format(name, line) if name and line else escape(line)
                 for line in token.split("\n")]  # fmt: skip
        text += Markup("\n").join(lines)
    return text.rstrip("\n").split("\n")
