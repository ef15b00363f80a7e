"""Which addresses media may come from: public ones, and those a setting names.

A shop's catalogue is written by others, so each of its URLs, and each redirect behind it, could point into
the network of the machine that fetches. What is refused here is decided on the address that the connection
is then made to, never on a name alone.

Source: RFC 6890 and the IANA special-purpose registries; RFC 6052 and 8215 (NAT64), 3056 (6to4), 4380 (Teredo).
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from catalog.errors import ConfigError, FetchError
from catalog.shown import shown_url

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_PUBLIC_6 = ipaddress.IPv6Network("2000::/3")
_BARRED = tuple(
    ipaddress.ip_network(each)
    for each in (
        *("0.0.0.0/8", "192.0.0.0/24", "192.88.99.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        *("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),  # Teredo and protocols, documentation, 6to4
    )
)
_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*")
_NUMBER = re.compile(r"(0x[0-9a-f]*|[0-9]+)")


def barred(address: Address) -> str | None:
    """Return why an address is not a public host's, None where it is one.

    Example:
        >>> barred(ipaddress.ip_address("127.0.0.1"))
        'loopback'
        >>> barred(ipaddress.ip_address("93.184.215.14")) is None
        True
    """
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return "IPv4-mapped"
        if address.scope_id is not None:
            return "of a zone"
    for name in ("unspecified", "loopback", "link_local", "multicast", "private", "reserved"):
        if getattr(address, f"is_{name}"):
            return name.replace("_", "-")
    if isinstance(address, ipaddress.IPv6Address) and address not in _PUBLIC_6:
        return "not global"  # NAT64 (64:ff9b::/96), IPv4-compatible, site-local and whatever is not assigned yet
    if not address.is_global or any(address.version == net.version and address in net for net in _BARRED):
        return "not global"
    return None


@dataclass(frozen=True)
class Allowed:
    """Hosts and networks that may be asked although they are not public.

    Attributes:
        names: Host names, in lower case; whatever they resolve to is taken.
        networks: Addresses, however they were come by.
    """

    names: frozenset[str]
    networks: tuple[_Network, ...]

    @classmethod
    def parse(cls, entries: Sequence[str]) -> Allowed:
        """Read `media.allow_hosts`: names, addresses, networks.

        Raises:
            ConfigError: On an entry that is none of them.
        """
        names, networks = set(), []
        for entry in entries:
            try:
                networks.append(ipaddress.ip_network(entry))
            except ValueError as error:
                name = entry.lower()
                if not _NAME.fullmatch(name) or _ends_in_number(name):
                    raise ConfigError(
                        f"allow_hosts: {entry!r} is no host; media.intranet, 10.1.2.3 or 10.0.0.0/8 would be valid"
                    ) from error
                names.add(name)
        return cls(frozenset(names), tuple(networks))

    def addresses(self, host: str, found: Sequence[str]) -> list[str]:
        """Return the addresses of `host` to connect to, as its resolver gave them.

        Raises:
            FetchError: When one of them is not to be asked; a name with public and private ones is a trick.
        """
        for text in found:
            address = ipaddress.ip_address(text)
            if host in self.names or any(address.version == n.version and address in n for n in self.networks):
                continue
            why = barred(address)
            if why is not None:
                raise FetchError(
                    f"host {host!r} has the address {text!r}, which is {why}; a public one, or one that "
                    "media.allow_hosts names, would be valid",
                    reason="refused address",
                )
        return list(found)


def literal(host: str) -> str | None:
    """Return `host` where it is an address already."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return None


def checked_url(url: str, ports: Sequence[int]) -> Any:
    """Return `url` as a parsed `httpx.URL` without fragment, where it is written as an honest one would be.

    Raises:
        FetchError: On another scheme or port, a user name, and a host written so that readers differ about it:
            `127.1`, `0x7f000001`, `2130706433`, `shop.example.`, digits and dots of other scripts.
    """
    import httpx

    scheme, mark, rest = url.strip().partition("://")
    if not mark or scheme.lower() not in ("http", "https"):
        raise _bad(url, "http:// or https:// would be valid")
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "@" in authority:
        raise _bad(url, "a URL without user name would be valid")
    if not authority or re.search(r"[\\%\s\x00-\x1f]", authority):
        raise _bad(url, "its host cannot be read; https://shop.example/1.jpg would be valid")
    written = (
        authority[: authority.rindex("]") + 1]
        if authority.startswith("[") and "]" in authority
        else (authority.partition(":")[0])
    )
    composed = unicodedata.normalize("NFC", written)
    if unicodedata.normalize("NFKC", composed) != composed or "\u3002" in composed:
        raise _bad(url, "its host is written in look-alike characters; plain ones would be valid")
    try:
        parsed = httpx.URL(url.strip()).copy_with(fragment=None)
        host, port = parsed.raw_host.decode("ascii").lower(), parsed.port
    except (httpx.InvalidURL, ValueError, UnicodeError, IndexError) as error:
        raise _bad(url, f"{error}") from error
    if literal(host) is None and (not _NAME.fullmatch(host) or len(host) > 253 or _ends_in_number(host)):
        raise _bad(url, f"its host {host!r} is oddly written; shop.example or 93.184.215.14 would be valid")
    actual = port or (443 if parsed.scheme == "https" else 80)
    if actual not in ports:
        raise FetchError(
            f"{shown_url(url)!r}: port {actual} is not asked; "
            f"{', '.join(map(str, ports))} (media.ports) would be valid",
            reason="refused address",
        )
    return parsed


def _ends_in_number(host: str) -> bool:
    """Whether some readers take a name for an IPv4 address in another writing (WHATWG URL, ends-in-a-number)."""
    return _NUMBER.fullmatch(host.rpartition(".")[2]) is not None


def _bad(url: str, what: str) -> FetchError:
    return FetchError(f"{shown_url(url)[:300]!r} is not fetched: {what}", reason="bad URL")
