"""The real thing: ``csp-web run`` as its own process, filled with the demo world."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.support.databases import alone, shared_folder

START_SECONDS = 60
STOP_SECONDS = 20
COMMAND = Path(sys.executable).with_name("csp-web")


def free_port() -> int:
    """A port of this machine that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class LiveServer:
    """A running server with an installation of its own. ``users`` is what ``csp-web demo --json`` prints."""

    folder: Path
    database_url: str | None = None
    port: int = field(default_factory=free_port)
    users: list[dict[str, Any]] = field(default_factory=list)
    settings: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """What the server printed."""
        return self.folder / "server.log"

    @property
    def environment(self) -> dict[str, str]:
        """The environment that its commands run in."""
        plain = {name: text for name, text in os.environ.items() if not name.startswith("CSP_WEB_")}
        own = {
            "CSP_WEB_DATA_DIR": str(self.folder / "data"),
            "CSP_WEB_PUBLIC_URL": self.url,
            "CSP_WEB_CONFIRM_MINUTES": "60",
        }
        if self.database_url:
            own["CSP_WEB_DATABASE_URL"] = self.database_url
        return {**plain, **own, **self.settings}

    def command(self, *arguments: str) -> str:
        """Run a ``csp-web`` command on this installation; returns what it printed. Fails the test if it fails."""
        done = subprocess.run(
            [COMMAND, *arguments],
            check=False,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
        )
        if done.returncode:
            pytest.fail(f"csp-web {' '.join(arguments)} exited with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def fill(self) -> None:
        """Set the installation up and fill it with the demo world."""
        self.command("init")
        self.users = json.loads(self.command("demo", "--json"))["users"]

    def copy(self, other: LiveServer) -> None:
        """Hold what another one holds, which must not be running."""
        shutil.copytree(other.folder / "data", self.folder / "data")
        self.users = other.users

    def start(self) -> None:
        """Start the server; returns when it answers at /readyz."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [COMMAND, "run", "--port", str(self.port)],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._is_ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                pytest.fail(f"the server did not start:\n{self.log.read_text(errors='replace')}")
            time.sleep(0.05)

    def _is_ready(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == http.HTTPStatus.OK
        except (http.client.HTTPException, OSError):
            return False
        finally:
            connection.close()

    def stop(self) -> None:
        """End the server as Ctrl-C does; what does not end is killed."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGINT)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(STOP_SECONDS)
        self.process = None

    def user(self, role: str, partner: str | None = None) -> dict[str, Any]:
        """A demo user who has exactly this role, or else has it among others."""
        having = [user for user in self.users if role in user["roles"] and partner in (None, user["partner"])]
        if not having:
            raise LookupError(f"the demo world has no {role} at {partner or 'any partner'}")
        return min(having, key=lambda user: len(user["roles"]))


@pytest.fixture(scope="session")
def demo_world(tmp_path_factory: pytest.TempPathFactory) -> LiveServer:
    """The demo world, filled once in the whole test run: to be copied, never started."""
    folder = shared_folder(tmp_path_factory) / "demo-world"
    users = folder / "users.json"
    with alone(folder.with_suffix(".lock")):
        if not users.exists():
            folder.mkdir(exist_ok=True)
            made = LiveServer(folder)
            made.fill()
            users.write_text(json.dumps(made.users))
    return LiveServer(folder, users=json.loads(users.read_text()))


@pytest.fixture(scope="session")
def live_server(tmp_path_factory: pytest.TempPathFactory, demo_world: LiveServer) -> Iterator[LiveServer]:
    """The demo world on a real server, shared by all browser tests of a process: use your own customers and orders."""
    server = LiveServer(tmp_path_factory.mktemp("live"))
    server.copy(demo_world)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def own_server(tmp_path: Path, database_url: str) -> Iterator[LiveServer]:
    """A migrated, empty installation of this test's own; the test fills and starts it."""
    server = LiveServer(tmp_path, database_url)
    yield server
    server.stop()
