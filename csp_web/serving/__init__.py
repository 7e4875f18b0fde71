"""The server: as many processes as cores on one listening socket, each a waitress; a parent restarts the dead.

* ``listening`` -- binding the socket, with a sentence when it cannot be bound
* ``limits`` -- sizes and times
* ``bodies`` -- what is too large is refused before it is received
* ``proxies`` -- the reverse proxies whose word is taken for where a request comes from
* ``signals`` -- signals as bytes on a socket
* ``worker`` -- one process: answers until told to stop, then finishes what it has in hand
* ``background`` -- the one process (or thread) for jobs
* ``supervisor`` -- the parent
* ``single`` -- everything in one process, where there is no fork (Windows)

Why so: waitress hands files to its I/O loop, so slow clients hold no thread; one process with many threads fights over
the interpreter lock.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable

from csp_web.serving.limits import Limits, WSGIApplication, raise_open_files
from csp_web.serving.listening import CannotListen, listen
from csp_web.serving.proxies import TrustedProxies
from csp_web.serving.single import serve_in_one_process

__all__ = ["CannotListen", "Limits", "TrustedProxies", "serve"]

GRACE_SECONDS = 10.0


def serve(
    app_factory: Callable[[], WSGIApplication],
    *,
    host: str,
    port: int,
    processes: int | None = None,
    threads: int = 2,
    on_ready: Callable[[str, int], None] | None = None,
    background: Callable[[threading.Event], None] | None = None,
    limits: Limits | None = None,
    proxies: TrustedProxies | None = None,
    grace: float = GRACE_SECONDS,
    at_end: Callable[[], None] | None = None,
) -> int:
    """Serve until told to stop; returns the exit code. Call from the main thread, with no connections open.

    Every process calls ``app_factory`` itself, after the fork, so nothing is shared, and ``at_end()`` after its last
    answer. ``background`` runs in exactly one process and gets an event that is set when it should end.
    ``on_ready(host, port)`` is called once, in the parent, when the first process answers; port 0 means a free one.

    SIGTERM and SIGINT let requests in hand finish for ``grace`` seconds (a second one does not wait); SIGHUP
    replaces the processes without losing a request. Returns 0 after those; 1, with a sentence on standard error, when
    the socket cannot be bound or the processes die at the start again and again.
    """
    chosen = limits or Limits()
    raise_open_files(chosen.connections)
    try:
        listener = listen(host, port, backlog=chosen.backlog)
    except CannotListen as refusal:
        sys.stderr.write(f"{refusal}\n")
        return 1
    settings = chosen.for_waitress() | {"threads": threads, "clear_untrusted_proxy_headers": proxies is None}
    app_factory = _behind(proxies, app_factory)
    if not hasattr(os, "fork"):
        return serve_in_one_process(
            app_factory,
            listener,
            settings=settings,
            on_ready=on_ready,
            background=background,
            grace=grace,
            at_end=at_end,
        )
    from csp_web.serving.supervisor import Supervisor

    supervisor = Supervisor(listener, on_ready=on_ready, grace=grace)
    supervisor.add_web(app_factory, processes=processes or os.cpu_count() or 1, settings=settings, at_end=at_end)
    if background is not None:
        supervisor.add_background(background)
    return supervisor.run()


def _behind(
    proxies: TrustedProxies | None, app_factory: Callable[[], WSGIApplication]
) -> Callable[[], WSGIApplication]:
    """With proxies it is they who clear headers, for each according to who sent it."""
    return app_factory if proxies is None else lambda: proxies.in_front_of(app_factory())
