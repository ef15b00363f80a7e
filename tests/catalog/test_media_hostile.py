"""Addresses that a hostile catalogue names: none of them is reached, which a listening socket says.

Every name resolves to loopback, or to what the address pretends to be, and the port of the listener is allowed, so that
only the address stands between the downloader and the socket.
"""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Iterator

import pytest

from catalog.errors import FetchError
from catalog.media.downloader import Downloader, DownloaderConfig
from catalog.media.scripted_host import Reply, ScriptedHost

HOSTILE = """
http://127.0.0.1:{port}/            loopback
http://127.0.0.2:{port}/            loopback, another
http://127.255.255.254:{port}/      loopback, the last
http://localhost:{port}/            by name
http://LOCALHOST:{port}/            by name, in capitals
http://localhost.:{port}/           by name, rooted
http://localhost.localdomain:{port}/  by its long name
http://ip6-localhost:{port}/        by its name in IPv6
http://loopback.evil.example:{port}/  a public name of a private address
http://127.0.0.1.nip.io:{port}/     a name that says its address
http://0.0.0.0:{port}/              this host
http://0:{port}/                    this host, in short
http://00.00.00.00:{port}/          this host, padded
http://0.1.2.3:{port}/              this network
http://2130706433:{port}/           decimal
http://02130706433:{port}/          decimal, padded
http://017700000001:{port}/         octal
http://0x7f000001:{port}/           hexadecimal
http://0x7F000001:{port}/           hexadecimal, in capitals
http://0x7f.0.0.1:{port}/           hexadecimal by parts
http://0x7f.1:{port}/               hexadecimal, in short
http://0177.0.0.1:{port}/           octal by parts
http://0177.0.0x0.1:{port}/         mixed
http://127.1:{port}/                in short
http://127.0.1:{port}/              in short
http://127.0.0.01:{port}/           padded
http://127.000.000.001:{port}/      padded
http://127.0.0.1.:{port}/           rooted
http://4294967297:{port}/           beyond 32 bits
http://[::1]:{port}/                loopback in IPv6
http://[0:0:0:0:0:0:0:1]:{port}/    written out
http://[0000::0001]:{port}/         padded
http://[::]:{port}/                 unspecified
http://[::127.0.0.1]:{port}/        IPv4-compatible
http://[::ffff:127.0.0.1]:{port}/   IPv4-mapped
http://[::ffff:7f00:1]:{port}/      IPv4-mapped, hexadecimal
http://[::ffff:0:127.0.0.1]:{port}/ IPv4-translated
http://[64:ff9b::7f00:1]:{port}/    NAT64
http://[64:ff9b:1::7f00:1]:{port}/  NAT64, local
http://[2002:7f00:1::]:{port}/      6to4
http://[2001:0:7f00:1::]:{port}/    Teredo
http://[fe80::1]:{port}/            link-local
http://[fe80::1%25lo]:{port}/       with a zone
http://[::1%25lo]:{port}/           with a zone
http://[fc00::1]:{port}/            unique local
http://[fec0::1]:{port}/            site-local
http://[ff02::1]:{port}/            multicast
http://[::1:{port}/                 no end of the bracket
http://169.254.169.254:{port}/latest/meta-data/  metadata of a cloud
http://169.254.170.2:{port}/v2/credentials       metadata of containers
http://[fd00:ec2::254]:{port}/latest/            metadata in IPv6
http://100.100.100.200:{port}/latest/            metadata of another cloud
http://metadata.google.internal:{port}/          metadata by name
http://2852039166:{port}/           metadata, decimal
http://0xA9FEA9FE:{port}/           metadata, hexadecimal
http://0251.0376.0251.0376:{port}/  metadata, octal
http://10.0.0.1:{port}/             private
http://172.16.0.1:{port}/           private
http://192.168.0.1:{port}/          private
http://100.64.0.1:{port}/           of a carrier
http://192.0.0.192:{port}/          of a protocol
http://198.18.0.1:{port}/           of benchmarks
http://224.0.0.1:{port}/            multicast
http://255.255.255.255:{port}/      broadcast
http://user@127.0.0.1:{port}/       a user
http://shop.example@127.0.0.1:{port}/          a host as user
http://shop.example:80@127.0.0.1:{port}/       a host and port as user
http://shop.example%40127.0.0.1:{port}/        the same, encoded
http://127.0.0.1:{port}@shop.example/          the address as user
http://127.0.0.1:{port}#@shop.example/         a fragment
http://127.0.0.1:{port}?@shop.example/         a query
http://127.0.0.1:{port}\\@shop.example/        a backslash
http:\\\\127.0.0.1:{port}/          backslashes
http:/\\127.0.0.1:{port}/           mixed slashes
http:///127.0.0.1:{port}/           three slashes
http:127.0.0.1:{port}/              no slashes
//127.0.0.1:{port}/                 no scheme
127.0.0.1:{port}/                   no scheme, no slashes
http://①②⑦.⓪.⓪.①:{port}/           circled digits
http://１２７.０.０.１:{port}/        wide digits
http://127。0。0。1:{port}/          wide dots
http://ⓛocalhost:{port}/            a circled letter
http://loc%61lhost:{port}/          a letter encoded
http://127.0.0.1%00.shop.example:{port}/       a zero byte
http://127.0.0.1%09:{port}/         a tab
http://127.0.0.1%0d%0aHost:%20shop.example:{port}/  a line break
http://xn--lcalhost-54a:{port}/     punycode
http://localhоst:{port}/            a Cyrillic letter
file:///etc/passwd                  a file
file://127.0.0.1/etc/passwd         a file of a host
ftp://127.0.0.1:{port}/             FTP
gopher://127.0.0.1:{port}/_GET      Gopher
dict://127.0.0.1:{port}/d           DICT
ldap://127.0.0.1:{port}/            LDAP
data:image/png;base64,iVBORw0KGgo=  data
javascript:fetch('http://127.0.0.1:{port}')  a script
unix:///var/run/docker.sock         a socket
jar:http://127.0.0.1:{port}/!/      an archive
""".strip().splitlines()
ADDRESSES = [tuple(re.split(r"\s+", line, maxsplit=1)) for line in HOSTILE]


class Listener:
    """Sockets on every loopback address there is, and how often somebody connected."""

    def __init__(self) -> None:
        self.sockets = [self._listening(socket.AF_INET, "0.0.0.0", 0)]
        self.port = self.sockets[0].getsockname()[1]
        if socket.has_ipv6:
            with contextlib.suppress(OSError):  # a machine without IPv6: then nothing of it can be reached either
                self.sockets.append(self._listening(socket.AF_INET6, "::1", self.port))
        self.met = 0
        self._threads = [threading.Thread(target=self._wait, args=(each,), daemon=True) for each in self.sockets]
        for thread in self._threads:
            thread.start()

    @staticmethod
    def _listening(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.bind((host, port))
        listener.listen(128)
        return listener

    def _wait(self, listener: socket.socket) -> None:
        while True:
            try:
                met, _ = listener.accept()
            except OSError:
                return
            self.met += 1
            met.close()

    def close(self) -> None:
        for each in self.sockets:
            each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in self._threads:
            thread.join(5)


@pytest.fixture(scope="module")
def downloader(listener: Listener) -> Iterator[Downloader]:
    with Downloader(DownloaderConfig(ports=(listener.port, 80), timeout=5), resolve=resolve) as made:
        yield made


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.close()


def resolve(host: str) -> list[str]:
    """Every name is a trick: it leads to loopback."""
    return ["127.0.0.1"]


def refused(downloader: Downloader, url: str) -> FetchError:
    with pytest.raises(FetchError) as caught:
        downloader.read(url)
    assert not caught.value.retryable, caught.value
    return caught.value


def test_the_listener_would_notice(listener: Listener) -> None:
    """The control: where loopback is allowed, the same downloader comes, and is counted."""
    before = listener.met
    config = DownloaderConfig(allow_hosts=("127.0.0.0/8",), ports=(listener.port,), timeout=5)
    with Downloader(config, resolve=resolve) as downloader, pytest.raises(FetchError) as caught:
        downloader.read(f"http://loopback.evil.example:{listener.port}/")
    assert caught.value.reason == "broken answer" or caught.value.retryable
    assert listener.met > before


def test_there_are_enough_of_them() -> None:
    assert len({address for address, _ in ADDRESSES}) == len(ADDRESSES) >= 60


@pytest.mark.parametrize(("address", "why"), ADDRESSES, ids=[f"{why}: {address}" for address, why in ADDRESSES])
def test_no_hostile_address_is_reached(listener: Listener, downloader: Downloader, address: str, why: str) -> None:
    before = listener.met
    assert refused(downloader, address.format(port=listener.port)).reason in ("bad URL", "refused address"), why
    assert listener.met == before


def test_nothing_came_late(listener: Listener, downloader: Downloader) -> None:
    """A connection is counted by a thread: let it catch up, then look once more."""
    before = listener.met
    for address, _ in ADDRESSES:
        refused(downloader, address.format(port=listener.port))
    with socket.create_connection(("127.0.0.1", listener.port), 5) as ours:
        ours.settimeout(5)
        assert ours.recv(1) == b""  # taken and closed, after whatever came before
    assert listener.met == before + 1


@pytest.mark.parametrize(("status", "chain"), [(301, 1), (302, 1), (302, 3), (303, 1), (307, 1), (308, 1)])
def test_no_redirect_leads_there(listener: Listener, status: int, chain: int) -> None:
    """An honest host sends on to each of the addresses, at once and behind others."""
    before = listener.met
    with ScriptedHost({}) as host:
        config = DownloaderConfig(allow_hosts=("shop.example",), ports=(host.port, listener.port, 80), timeout=5)
        asked = 0
        with Downloader(config, resolve=resolve) as downloader:
            for number, (address, why) in enumerate(ADDRESSES):
                there = address.format(port=listener.port)
                if not there.startswith(("http", "file", "ftp", "gopher", "dict", "ldap", "data", "jar", "unix", "ja")):
                    continue  # such a place is a path of the honest host
                if not there.isascii() or "\\" in there or there.startswith(("http:127", "http:///")):
                    continue  # read as a path, or no header can carry it
                for step in range(chain):
                    last = step == chain - 1
                    location = there if last else f"/{number}/{step + 1}"
                    host.acts[f"/{number}/{step}"] = Reply(status=status, headers={"Location": location})
                error = refused(downloader, host.url(f"/{number}/0", "shop.example"))
                assert error.reason in ("bad URL", "refused address", "redirect to nowhere"), why
                asked += 1
        assert asked >= 60 and len(host.asked) == asked * chain
    assert listener.met == before
