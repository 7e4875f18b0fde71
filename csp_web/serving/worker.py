"""One serving process: waitress's loop, run by us so that it can end without cutting anybody off."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import Any

from waitress import wasyncore
from waitress.server import create_server

from csp_web.serving.bodies import refuse_early
from csp_web.serving.limits import WSGIApplication

TICK_SECONDS = 1.0
FRESH_SECONDS = 0.5


class StopSign(wasyncore.dispatcher):
    """A socket in the loop; once there is something to read on it, or its other end is closed, it is time to stop."""

    def __init__(self, sign: socket.socket, loop: dict[int, Any]) -> None:
        super().__init__(sign.dup(), loop)
        self.seen = False

    def writable(self) -> bool:
        return False

    def handle_read(self) -> None:
        self.handle_close()

    def handle_close(self) -> None:
        self.seen = True
        self.close()


def answer_requests(
    app: WSGIApplication,
    listener: socket.socket,
    *,
    settings: dict[str, Any],
    stop_signs: list[socket.socket],
    grace: float,
    on_ready: Callable[[], None],
    at_end: Callable[[], None] | None = None,
) -> None:
    """Answer until one of the signs is seen, then finish what is in hand for at most ``grace`` seconds.

    ``at_end`` is called last, when every answer has said that it has ended, and may take a second.
    """
    loop: dict[int, Any] = {}
    server = create_server(app, map=loop, sockets=[listener], **settings)
    limit = getattr(app, "body_limit", None)
    if limit is not None:
        refuse_early(server, limit)
    signs = [StopSign(sign, loop) for sign in stop_signs]
    on_ready()
    while not any(sign.seen for sign in signs):
        _turn(loop, TICK_SECONDS)
    for sign in signs:
        sign.close()
    wasyncore.dispatcher.close(server)  # no new connections; the loop's trigger stays, the threads need it
    _finish(server, loop, time.monotonic() + grace)
    _cut_off(server)
    if at_end is not None:
        at_end()


def _turn(loop: dict[int, Any], seconds: float) -> None:
    wasyncore.loop(timeout=seconds, use_poll=True, map=loop, count=1)


def _finish(server: Any, loop: dict[int, Any], deadline: float) -> None:
    """Run the loop until every connection has got its answer. One more turn first: requests that have arrived count."""
    _turn(loop, 0)
    _close_idle(server)
    while server.active_channels and time.monotonic() < deadline:
        _turn(loop, min(FRESH_SECONDS, max(0.0, deadline - time.monotonic())))
        _close_idle(server)


def _cut_off(server: Any) -> None:
    """Close what did not come to its end in time, so that downloads say how much they sent."""
    for channel in list(server.active_channels.values()):
        channel.handle_close()


def _close_idle(server: Any) -> None:
    """Close what has nothing in hand; a connection made a moment ago may still bring its first request."""
    fresh = time.time() - FRESH_SECONDS
    for channel in list(server.active_channels.values()):
        busy = channel.requests or channel.request or channel.total_outbufs_len
        if not busy and (channel.last_activity > channel.creation_time or channel.creation_time < fresh):
            channel.handle_close()
