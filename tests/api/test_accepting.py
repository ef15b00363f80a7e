"""A process takes one connection of a burst and lets others take the next; one it cannot take is tried again."""

from __future__ import annotations

import asyncio
import errno
import socket

import pytest

from api.accepting import Acceptor
from api.server import listen


class Counted(asyncio.Protocol):
    """Counts who came."""

    came = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        type(self).came += 1
        transport.close()


@pytest.fixture(autouse=True)
def nobody_came() -> None:
    Counted.came = 0


async def until_came(count: int) -> None:
    async with asyncio.timeout(20):
        while Counted.came < count:
            await asyncio.sleep(0.005)


def test_after_one_it_leaves_the_next_to_others_for_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    async def visited() -> None:
        with listen("127.0.0.1", 0) as listener:
            callers = [socket.create_connection(listener.getsockname()) for _ in range(3)]
            monkeypatch.setattr("api.accepting.PAUSE_SECONDS", 60.0)
            greedy = Acceptor(listener, Counted)
            await until_came(1)
            await asyncio.sleep(0.05)
            assert Counted.came == 1
            listener.accept()[0].close()  # as another process would
            greedy.close()
            monkeypatch.undo()
            door = Acceptor(listener, Counted)
            await until_came(2)
            callers.append(socket.create_connection(listener.getsockname()))
            await until_came(3)
            door.close()
            await door.wait_closed()
            callers.append(socket.create_connection(listener.getsockname()))  # waits for whoever listens next
            await asyncio.sleep(0.05)
            assert Counted.came == 3
            for caller in callers:
                caller.close()

    asyncio.run(visited())


class Short(socket.socket):
    """A listener whose process has no file descriptor left, once."""

    refused = False

    def accept(self) -> tuple[socket.socket, object]:
        if not self.refused:
            self.refused = True
            raise OSError(errno.EMFILE, "Too many open files")
        return super().accept()


def test_a_connection_for_which_no_file_is_left_is_said_and_tried_again(monkeypatch, caplog) -> None:
    monkeypatch.setattr("api.accepting.SHORT_OF_SECONDS", 0.02)

    async def visited() -> None:
        listener = Short(socket.AF_INET, socket.SOCK_STREAM)
        with listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            with socket.create_connection(listener.getsockname()):
                door = Acceptor(listener, Counted)
                await until_came(1)
                door.close()

    asyncio.run(visited())
    assert "Too many open files" in caplog.text
