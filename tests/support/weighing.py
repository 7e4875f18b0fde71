"""What a page weighs and how soon it stands: bytes on the wire, requests, shifts of the layout, blocking, largest paint.

Everything is read from Chromium itself: bytes from its network log, the rest from its performance observers.
"""

from __future__ import annotations

import gzip
import statistics
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Page

MOST_BYTES, MOST_REQUESTS = 60_000, 6
MOST_SHIFT = 0.02
LINE = (40, 10.0)  # milliseconds for every request, megabits per second: a usual line, on which paints are compared
MOST_FRAMES = 60  # pairs of them to wait for what comes late
MOST_UPDATE = 5_000  # bytes of the body of an answer to htmx
# Of the lightest peer's largest paint at most 0.6: it takes 336 ms where a lean page takes 150.
MOST_TIMES_LEAN = 1.34

_WATCH = """
window.seen = { paint: 0, shift: 0, blocked: 0 };
const watch = (type, note) =>
  new PerformanceObserver((list) => list.getEntries().forEach(note)).observe({ type, buffered: true });
watch("largest-contentful-paint", (entry) => { seen.paint = entry.startTime; });
watch("layout-shift", (entry) => { if (!entry.hadRecentInput) seen.shift += entry.value; });
watch("longtask", (entry) => { seen.blocked += Math.max(0, entry.duration - 50); });
"""
_TWO_FRAMES = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))"


@dataclass(frozen=True)
class Weight:
    """One load with an empty cache: bytes with their headers, requests, and in milliseconds what was seen."""

    bytes: int
    requests: int
    shift: float
    blocked: float
    paint: float

    @property
    def faults(self) -> list[str]:
        """What is more than it may be; the largest paint is compared elsewhere, for it depends on the machine."""
        found = []
        if self.bytes > MOST_BYTES:
            found.append(f"{self.bytes} bytes")
        if self.requests > MOST_REQUESTS:
            found.append(f"{self.requests} requests")
        if self.shift >= MOST_SHIFT:
            found.append(f"the layout shifts by {self.shift:.3f}")
        if self.blocked:
            found.append(f"blocked for {self.blocked:.0f} ms")
        return found


@dataclass
class Scale:
    """Weighs pages in one tab."""

    page: Page
    _sizes: dict[str, float] = field(default_factory=dict)
    _open: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.page.add_init_script(_WATCH)
        self._log = self.page.context.new_cdp_session(self.page)
        self._log.send("Network.enable")
        self._log.on("Network.requestWillBeSent", self._asked)
        self._log.on("Network.loadingFinished", self._answered)
        self._log.on("Network.loadingFailed", lambda event: self._open.discard(event["requestId"]))

    def use_line(self, latency: int, megabits: float) -> None:
        """Have every request take so many milliseconds more, and bytes come no faster than that."""
        speed = megabits * 1_000_000 / 8
        self._log.send(
            "Network.emulateNetworkConditions",
            {"offline": False, "latency": latency, "downloadThroughput": speed, "uploadThroughput": speed},
        )

    def weigh(self, address: str, status: int = 200) -> Weight:
        """Load a page as somebody who has never been there, until nothing more comes."""
        self._log.send("Network.clearBrowserCache")
        self._sizes.clear()
        self._open.clear()
        answer = self.page.goto(address)
        assert answer is not None
        assert answer.status == status, f"{address} answered {answer.status}"
        self.page.evaluate(_TWO_FRAMES)
        for _frames in range(MOST_FRAMES):
            if not self._open:
                break
            self.page.evaluate(_TWO_FRAMES)
        seen = self.page.evaluate("window.seen")
        on_the_wire = [size for size in self._sizes.values() if size]  # what the page holds itself has no size
        return Weight(int(sum(on_the_wire)), len(on_the_wire), seen["shift"], seen["blocked"], seen["paint"])

    def _asked(self, event: dict[str, Any]) -> None:
        if "redirectResponse" in event:  # what leads elsewhere is no page: the load begins where it ends
            self._sizes.clear()
        if not event["request"]["url"].startswith("data:"):
            self._open.add(event["requestId"])

    def _answered(self, event: dict[str, Any]) -> None:
        self._sizes[event["requestId"]] = event["encodedDataLength"]
        self._open.discard(event["requestId"])


_ROWS = "".join(
    f'<tr><td><a href="/{number}">Customer {number}</a></td><td>customer{number}.example</td><td>Germany</td></tr>'
    for number in range(50)
)
_LEAN_PAGE = f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Lean</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
<link rel="stylesheet" href="/lean.css"><script src="/htmx.js" defer></script></head>
<body><h1>Customers</h1><p>A page that has what every page needs, and nothing else.</p><table>{_ROWS}</table></body></html>"""
_LEAN_SHEET = "body{font:16px/1.5 sans-serif;max-width:70rem;margin:auto}td{padding:.5rem;border-top:1px solid #ccc}"


def _lean_files() -> dict[str, tuple[str, bytes]]:
    """22 KB in three requests: what a page with a list, a style sheet and htmx has to be."""
    htmx = next(file for file in files("django-htmx") or [] if file.name == "htmx-2.min.js").read_binary()
    plain = {
        "/": ("text/html", _LEAN_PAGE.encode()),
        "/lean.css": ("text/css", _LEAN_SHEET.encode()),
        "/htmx.js": ("text/javascript", htmx),
    }
    return {path: (kind, gzip.compress(body, 9)) for path, (kind, body) in plain.items()}


@contextmanager
def lean_site() -> Iterator[str]:
    """The address of a page that other pages are compared with."""
    known = _lean_files()

    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            kind, body = known[self.path]
            self.send_response(200)
            headers = {"Content-Type": kind, "Content-Encoding": "gzip", "Content-Length": str(len(body))}
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the library's name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


@dataclass(frozen=True)
class Ratio:
    """The largest paint of a page, in times that of the lean page."""

    middle: float  # of all turns
    calmest: float  # the soonest of each: what is left when nobody else uses the machine


def times_lean(scale: Scale, address: str, lean: str, *, turns: int) -> Ratio:
    """Both pages in turn, so that whatever else the machine does slows both."""
    pairs = [(scale.weigh(lean).paint, scale.weigh(address).paint) for _turn in range(turns)]
    seen = [(other, own) for other, own in pairs if other and own]  # a busy machine may paint before anybody looks
    if not seen:
        raise RuntimeError(f"no paint of {address} was seen in {turns} turns")
    middle = statistics.median(own / other for other, own in seen)
    return Ratio(middle, min(own for _other, own in seen) / min(other for other, _own in seen))
