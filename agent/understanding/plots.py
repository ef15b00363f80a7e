"""Things told by what happens in them: "that film where a man lives the same day over and over"."""

from __future__ import annotations

import re

_PLOT = re.compile(
    r"\b(?:(?:that|the|a|an|this|any|some) (?:[a-z-]+ )?(?:one|film|movie|book|story|series|show|comedy|drama|cartoon)|"
    r"something|anything|films|movies|books|stories) (?:where|in which|(?:about|with) (?:an?|the|two|three|some) "
    r"(?:[a-z'-]+ ){1,4}?(?:who|whose|that)) (?P<plot>[^,;]+)"
)
_BOUND = re.compile(
    r"\s+(?:but (?:not|no|without)|under|below|over|from the|please|(?:what|which) (?:was|is|one)|do you)\b.*"
)
LEAST = 4
"""Words that make a plot; fewer are a description like any other."""


def taken(text: str) -> tuple[tuple[str, ...], str]:
    """Return the plot a folded text tells, () where it tells none, and the text with blanks in its place.

    Example:
        >>> taken("a comedy where two men dress up as women, please")
        (('two men dress up as women',), 'a comedy                                , please')
    """
    match = _PLOT.search(text)
    told = _BOUND.sub("", match["plot"]).strip(" ?.!") if match else ""
    if match is None or len(told.split()) < LEAST:
        return (), text
    kind_end = re.search(r"\s(?:where|in which|about|with)\s", match.group())
    start = match.start() + (kind_end.start() if kind_end else 0)
    end = match.start("plot") + len(told)
    whole = text[start:end].strip()
    story = re.sub(r"^(?:where|in which|about|with) ", "", whole)
    return (story,), text[:start] + " " * (end - start) + text[end:]
