"""URLs as they may be shown and kept: without the passwords and keys that some of them carry.

Source: RFC 3986, 3.2.1, which asks that what stands after the colon of a user information is not shown.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

HIDDEN = "***"
"""Stands where a secret stood."""

_SCHEME = r"[a-z][a-z0-9+.-]{0,20}://"
_URL = re.compile(rf"\s*{_SCHEME}", re.IGNORECASE)
_IN_TEXT = re.compile(rf"{_SCHEME}[^\s'\"<>`]+", re.IGNORECASE)
# Up to the last @ of the authority; without one, a port that is no number is a password with a / or ? in it.
_USER = re.compile(rf"^(\s*{_SCHEME})(?:[^/?#]*@|[^/?#\[@:]*:(?!\d*(?:[/?#]|$)).*@)", re.IGNORECASE | re.DOTALL)
_PARAMETER = re.compile(r"([?&;#])([^=&;#?]+)=([^&#]*)")
_SECRET = re.compile(
    r"token|secret|passw|passphrase|pwd|signature|credential|api-?_?key|access-?_?key|session|jwt|hmac|hdn(ea|ts)"
    r"|auth(?!or)|(^|[-_.])(sig|sign|key|pass|pw|pin)$",
    re.IGNORECASE,
)


def is_secret(name: str) -> bool:
    """Whether a parameter of this name holds what gives access.

    Example:
        >>> [name for name in ("X-Amz-Signature", "sig", "keyword", "author", "api_key", "size") if is_secret(name)]
        ['X-Amz-Signature', 'sig', 'api_key']
    """
    return _SECRET.search(unquote(name)) is not None


def shown_url(url: str) -> str:
    """Return a URL with `***` for its user information and for parameters that look like secrets.

    Whatever is no URL, the path of a file say, comes back as it is.

    Example:
        >>> shown_url("https://al:pw@shop.example/1.jpg?w=80&token=abc")
        'https://***@shop.example/1.jpg?w=80&token=***'
        >>> shown_url("photos/al@home.jpg")
        'photos/al@home.jpg'
    """
    if not _URL.match(url):
        return url
    return _PARAMETER.sub(_parameter, _USER.sub(rf"\1{HIDDEN}@", url, count=1))


def shown_text(text: str) -> str:
    """Return a text in which each URL is as `shown_url` gives it; its URLs end at blanks and quotes."""
    if "://" not in text:
        return text
    return _IN_TEXT.sub(lambda found: shown_url(found[0]), text)


def _parameter(found: re.Match[str]) -> str:
    mark, name, value = found.groups()
    return f"{mark}{name}={HIDDEN}" if value and is_secret(name) else found[0]
