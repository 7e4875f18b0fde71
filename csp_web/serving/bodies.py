"""What is too large is refused as soon as the head of the request says so, and the refusal arrives.

Waitress receives a body whole before it looks for an application, and closes the connection on one that is too large: the
client, who is still sending, sees a reset instead of the answer. Here the application may say for each request how much
it takes (its ``body_limit(method, path, cookies)``, asked once the head is read). What is larger, or becomes larger, is
not kept; the application answers at once without a body, and what the client goes on sending is thrown away for a while.
"""

from __future__ import annotations

import io
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from types import SimpleNamespace
from typing import Any

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.utilities import RequestEntityTooLarge
from werkzeug.exceptions import RequestEntityTooLarge as TooLarge

BodyLimit = Callable[[str, str, str], int]  # method, path, cookies: bytes

LINGER_SECONDS = 30.0  # a browser that is sending reads the answer when it has sent everything
BLOCK = 256 * 1024


def refuse_early(server: Any, limit: BodyLimit) -> None:
    """Let a waitress server ask ``limit``. Its own limit for all requests stays."""
    server.channel_class = partial(PatientChannel, limit)


class RefusedBody(io.RawIOBase):
    """Stands for a body that was not received: who reads it learns that it was too large."""

    def readable(self) -> bool:
        return True

    def readinto(self, _buffer: Any) -> int:
        raise TooLarge


class MeasuredRequest(HTTPRequestParser):
    """A request that keeps no more of its body than its page takes."""

    refused = False

    def __init__(self, limit: BodyLimit, adj: Any) -> None:
        super().__init__(adj)
        self.adj: Any = adj
        self._limit = limit

    def parse_header(self, header_plus: bytes) -> None:
        """Read the head, and ask how much may come; waitress refuses a body *of* its limit."""
        super().parse_header(header_plus)
        receiver: Any = self.body_rcv
        if receiver is not None:
            most = self._limit(self.command, self.path, self.headers.get("COOKIE", ""))
            lower = min(self.adj.max_request_body_size, most + 1)
            self.adj = SimpleNamespace(max_request_body_size=lower, max_request_header_size=65536)

    def received(self, data: bytes) -> int:
        """Take what has come. Of a refused request all is taken: none of it may be read as another request."""
        consumed: int = super().received(data)
        if isinstance(self.error, RequestEntityTooLarge):
            self._refuse()
            return len(data)
        return consumed

    def _refuse(self) -> None:
        """Go to the application without a body, and without asking for it (Expect: 100-continue)."""
        self.refused, self.error, self.expect_continue = True, None, False
        self.close()
        self.body_rcv = None
        self.headers["CONTENT_LENGTH"] = str(max(self.content_length, self.body_bytes_received))
        self.headers["CONNECTION"] = "close"
        self.connection_close = True

    def get_body_stream(self) -> Any:
        """What the application reads."""
        return RefusedBody() if self.refused else super().get_body_stream()


class PatientChannel(HTTPChannel):
    """A connection that is closed only when its client has stopped sending what was refused, or after a while."""

    def __init__(self, limit: BodyLimit, *arguments: Any, **more: Any) -> None:
        self.parser_class = partial(MeasuredRequest, limit)
        self._refused = False
        self._until = 0.0  # the moment at which patience ends; 0: the answer is not sent yet
        super().__init__(*arguments, **more)

    def received(self, data: bytes) -> Any:
        """Requests out of what has come."""
        done = super().received(data)
        self._refused = self._refused or any(request.refused for request in list(self.requests))
        return done

    def readable(self) -> Any:
        return bool(self._until) or super().readable()

    def writable(self) -> Any:
        return bool(self.will_close) if self._until else super().writable()

    def handle_read(self) -> None:
        """Read requests; when one was refused and answered, throw away what still comes."""
        if not self._until:
            super().handle_read()
            return
        with suppress(OSError):
            if self.recv(BLOCK) and time.monotonic() < self._until:
                return
        self.handle_close()

    def handle_write(self) -> None:
        """Send what there is; after a refusal do not close at once."""
        if not self._refused:
            super().handle_write()
            return
        self._flush_exception(self._flush_some_if_lockable)
        if self.will_close:
            self.handle_close()
        elif self.close_when_flushed and not self.total_outbufs_len:
            self._until = time.monotonic() + LINGER_SECONDS
            with suppress(OSError):
                self.socket.shutdown(socket.SHUT_WR)
