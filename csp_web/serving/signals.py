"""Signals as bytes on a socket: nothing happens inside a handler, the loop that waits on the socket acts."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterable
from contextlib import suppress
from types import FrameType


class Wakeup:
    """From now on these signals only make ``reader`` readable. Main thread only; ``close`` puts everything back."""

    def __init__(self, signals: Iterable[int]) -> None:
        self.reader, self._writer = socket.socketpair()
        self.reader.setblocking(False)
        self._writer.setblocking(False)
        self._before = {number: signal.signal(number, _nothing) for number in signals}
        self._fd_before = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)

    def received(self) -> bytes:
        """The numbers of the signals that came since the last time."""
        with suppress(BlockingIOError):
            return self.reader.recv(4096)
        return b""

    def close(self) -> None:
        """Give the signals back to whoever had them."""
        signal.set_wakeup_fd(self._fd_before)
        for number, action in self._before.items():
            signal.signal(number, action)
        self.reader.close()
        self._writer.close()


def _nothing(_number: int, _frame: FrameType | None) -> None:
    """A handler must exist for the byte to be written."""
