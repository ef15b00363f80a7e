"""HTML of descriptions as text, in one pass: a feed is written by others, and may be long and broken on purpose."""

from __future__ import annotations

import html
import re
from contextlib import suppress

_BLOCKS = frozenset({
    "address", "article", "blockquote", "br", "dd", "div", "dl", "dt", "figure", "h1", "h2", "h3", "h4", "h5", "h6",
    "hr", "li", "ol", "p", "pre", "section", "table", "td", "th", "tr", "ul",
})  # fmt: skip
_UNSAID = frozenset({"script", "style", "template", "noscript", "iframe", "svg", "head", "textarea"})
_HTML = re.compile(r"</?[a-zA-Z]|<!--|&(#\d|#x[0-9a-fA-F]|[a-zA-Z]{2,32}\d{0,2};)")
_NAME = re.compile(r"/?([a-zA-Z][a-zA-Z0-9]{0,15})")
_QUOTED = 8
"""How often the end of a tag is looked for behind a `>` within quotes."""


def as_plain(text: str | None) -> str | None:
    r"""Return HTML as text: a line a block, no scripts, no tags; what has neither tag nor entity stays as it is.

    Every character is looked at a bounded number of times; Python's own parser takes a minute for 250 KB of `<!--`.

    Example:
        >>> as_plain("<p>Holds <b>tea</b>&nbsp;&amp; more.</p><ul><li>Blue</li></ul>")
        'Holds tea & more.\nBlue'
    """
    if text is None or not _HTML.search(text):
        return text
    said = "".join(_pieces(text))
    with suppress(ValueError):  # a character reference of thousands of digits
        said = html.unescape(said)
    lines = (" ".join(line.split()) for line in said.split("\n"))
    return "\n".join(line for line in lines if line) or None


def _pieces(text: str) -> list[str]:
    """Return the text between tags, a line break for each block."""
    found: list[str] = []
    at = 0
    while (start := text.find("<", at)) >= 0:
        found.append(_flat(text[at:start]))
        if text.startswith("<!--", start):
            end = text.find("-->", start + 4)
            if end < 0:
                return found
            at = end + 3
            continue
        if not text[start + 1 : start + 2].isalpha() and text[start + 1 : start + 2] not in ("/", "!", "?"):
            found.append("<")
            at = start + 1
            continue
        end = _tag_end(text, start)
        if end < 0:
            return found
        at = end + 1
        named = _NAME.match(text, start + 1)
        name = named[1].lower() if named is not None else ""
        if name in _BLOCKS:
            found.append("\n")
        elif name in _UNSAID and text[start + 1] != "/":
            closing = re.compile(f"</{name}", re.IGNORECASE).search(text, at)
            if closing is None:
                return found
            at = closing.start()
    found.append(_flat(text[at:]))
    return found


def _tag_end(text: str, start: int) -> int:
    """Return where the tag that begins at `start` ends, -1 where it never does; a `>` in quotes is none."""
    first = end = text.find(">", start)
    for _ in range(_QUOTED):
        if end < 0 or text.count('"', start, end) % 2 == 0:
            return first if end < 0 else end
        quote = text.find('"', end, end + 1_000)
        end = text.find(">", quote, quote + 1_000) if quote >= 0 else -1
    return first


def _flat(text: str) -> str:
    return text.replace("\n", " ").replace("\r", " ")
