"""Everything in one process: where there is no fork (Windows)."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable
from typing import Any

from csp_web.serving.background import Jobs, JobThread
from csp_web.serving.limits import WSGIApplication
from csp_web.serving.signals import Wakeup
from csp_web.serving.worker import answer_requests


def serve_in_one_process(
    app_factory: Callable[[], WSGIApplication],
    listener: socket.socket,
    *,
    settings: dict[str, Any],
    on_ready: Callable[[str, int], None] | None,
    background: Jobs | None,
    grace: float,
    at_end: Callable[[], None] | None,
) -> int:
    """Serve until SIGTERM or SIGINT (Ctrl-C); returns 0. The jobs run in a thread."""
    host, port = listener.getsockname()[:2]
    wakeup = Wakeup([signal.SIGTERM, signal.SIGINT])
    jobs = JobThread(background) if background else None
    try:
        app = app_factory()
        if jobs:
            jobs.start()
        answer_requests(
            app,
            listener,
            settings=settings,
            stop_signs=[wakeup.reader],
            grace=grace,
            on_ready=lambda: on_ready(host, port) if on_ready else None,
            at_end=at_end,
        )
    finally:
        if jobs:
            jobs.finish(grace)
        wakeup.close()
        listener.close()
    return 0
