"""Text from elsewhere, made safe to look at: what a terminal or a page would act on is shown as its escape."""

from __future__ import annotations

import re

_ACTING = (
    (0x00, 0x08), (0x0B, 0x1F), (0x7F, 0x9F),  # control characters but tab and newline: a terminal obeys them
    (0x061C, 0x061C), (0x200E, 0x200F), (0x202A, 0x202E), (0x2066, 0x2069),  # these reorder what stands beside them
    (0x00AD, 0x00AD), (0x034F, 0x034F), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180E, 0x180E), (0x200B, 0x200D),
    (0x2060, 0x2064), (0x206A, 0x206F), (0x3164, 0x3164), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0),  # nobody sees these,
    (0xE0000, 0xE0FFF),  # nor these: tags
    (0x2028, 0x2029),  # line ends to some readers and not to others
    (0xD800, 0xDFFF),  # halves of characters: they can't be encoded
    (0xFFF9, 0xFFFB), (0xFFFE, 0xFFFF),  # annotations, and what is no character
)  # fmt: skip
"""The first and the last of each range of characters that act, or hide."""

_PATTERN = re.compile("[" + "".join(f"{chr(first)}-{chr(last)}" for first, last in _ACTING) + "]")

SCRIPT_PATTERN = "/[" + "".join(f"\\u{{{first:x}}}-\\u{{{last:x}}}" for first, last in _ACTING) + "]/gu"
"""The same characters as a regular expression of a page's scripts."""


def visible(text: str) -> str:
    r"""The text with control, bidirectional and invisible characters as escapes: ``\x1b``, ``\u202e``.

    Tabs and newlines stay; everything else that can be seen stays as it is.
    """
    return text if text.isascii() and text.isprintable() else _PATTERN.sub(_escaped, text)


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
