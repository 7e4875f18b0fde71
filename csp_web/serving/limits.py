"""Sizes and times, in our words and in waitress's."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

WSGIApplication = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

UNLIMITED = sys.maxsize
GIB = 1024**3


@dataclass(frozen=True)
class Limits:
    """What one process takes.

    ``max_request_body`` and ``max_request_header`` in bytes (0 = a body of any size; bodies over 512 KiB go to a
    temporary file), ``idle_seconds`` until a connection on which nothing moves is closed, ``connections`` at a time,
    ``backlog`` of connections that wait to be accepted.
    """

    max_request_body: int = GIB
    max_request_header: int = 64 * 1024
    idle_seconds: int = 120
    connections: int = 2000
    backlog: int = 1024

    def for_waitress(self) -> dict[str, Any]:
        """The settings under waitress's names. Waitress refuses a body *of* its limit: ours is one byte less."""
        return {
            "max_request_body_size": self.max_request_body + 1 if self.max_request_body else UNLIMITED,
            "max_request_header_size": self.max_request_header,
            "channel_timeout": self.idle_seconds,
            "cleanup_interval": max(1, min(30, self.idle_seconds // 4)),
            "connection_limit": self.connections,
            "backlog": self.backlog,
            "ident": "",  # no version in a Server header
            "expose_tracebacks": False,
            "clear_untrusted_proxy_headers": True,
            "asyncore_use_poll": True,
        }


def raise_open_files(connections: int) -> None:
    """Allow as many open files as the connections need (two each: the socket and the file it is sent)."""
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a line per waiting request helps nobody
    with suppress(ImportError):  # not on Windows, where there is no such limit
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = 2 * connections + 256
        if soft < wanted and soft != resource.RLIM_INFINITY:
            most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
            with suppress(OSError, ValueError):
                resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
