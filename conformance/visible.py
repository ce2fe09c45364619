"""Text from elsewhere, made safe to look at: what a terminal or a page would act on is shown as its escape."""

from __future__ import annotations

import re

_ACTING = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters but tab and newline: a terminal obeys them
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidirectional controls: they reorder what stands beside them
    "\u200b-\u200d\u2060-\u2064\u206a-\u206f\ufeff\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180e\u3164\uffa0"  # unseen
    "\u2028\u2029"  # line ends to some readers and not to others
    "\ufff9-\ufffb\ufffe\uffff"  # annotations, and what is no character
    "\ud800-\udfff"  # halves of characters: they can't be encoded
    "\U000e0000-\U000e0fff"  # tags: text that nobody sees
    "]"
)


def visible(text: str) -> str:
    r"""The text with control, bidirectional and invisible characters as escapes: ``\x1b``, ``\u202e``.

    Tabs and newlines stay; everything else that can be seen stays as it is.
    """
    return text if text.isascii() and text.isprintable() else _ACTING.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def on_one_line(text: str) -> str:
    r"""Like `visible`, with tabs and newlines escaped too: for messages that are a line each."""
    return visible(text).replace("\n", "\\n").replace("\t", "\\t")


def clipped(text: str, most: int) -> str:
    """The text, cut in its middle where it is longer than `most` characters."""
    return text if len(text) <= most else f"{text[: most * 2 // 3]} … {text[-(most // 4) :]}"
