"""A PostgreSQL server for one test run: in a temporary folder, on a Unix socket only, gone afterwards.

Debian's packages are used as they are. PostgreSQL refuses to run as root, so root lends it the user ``postgres`` or
``nobody``. Nothing has to survive a power loss here, so nothing is synced to disk.

    python -m tests.support.postgres start     prints the address of a server that stays
    python -m tests.support.postgres stop      ends it
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SUPERUSER = "csp_web"
START_SECONDS = 60
MEMORY = Path("/dev/shm")  # noqa: S108 -- a folder in it is made by mkdtemp, for its owner only
MEMORY_NEEDED = 2 * 1024**3
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "dynamic_shared_memory_type": "mmap",  # inside the folder: nothing stays behind
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
}
# Ends the server when the test run ends, however it ends: the pipe to this shell closes with it.
WATCH = 'read -r _; "$1" stop -D "$2/data" -m immediate -s; rm -rf "$2"'


class PostgresMissing(RuntimeError):
    """This machine has no PostgreSQL server to start."""


def find_program(name: str) -> str:
    """Where a program of PostgreSQL's is: Debian keeps the servers' ones off PATH."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: float(folder.parent.name))
    for folder in reversed(folders):
        if (folder / name).exists():
            return str(folder / name)
    found = shutil.which(name)
    if found is None:
        raise PostgresMissing(f"No PostgreSQL server here ({name} not found): apt-get install postgresql")
    return found


def unprivileged_user() -> pwd.struct_passwd | None:
    """The user to run the server as, or None where the present one will do."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise PostgresMissing("PostgreSQL does not run as root, and there is neither a user postgres nor nobody.")


@dataclass(frozen=True)
class Server:
    """A running server and the folder that holds its data and its socket."""

    folder: Path

    def url(self, database: str = "postgres") -> str:
        """The address of one of its databases."""
        return f"postgresql+psycopg://{SUPERUSER}@/{database}?host={self.folder}"

    def stop(self) -> None:
        """End the server and remove its folder. Does nothing the second time."""
        if (self.folder / "data").exists():
            _run("pg_ctl", "stop", "-D", str(self.folder / "data"), "-m", "immediate", "-s", check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def stop_with_me(self) -> subprocess.Popen[bytes]:
        """Have the server end with the present process, even if that is killed. Closing stdin ends it at once."""
        return subprocess.Popen(
            ["/bin/sh", "-c", WATCH, "watch", find_program("pg_ctl"), str(self.folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
            **_as_user(),
        )


def start(folder: Path | None = None) -> Server:
    """Make a database cluster and start its server; returns when it takes connections."""
    # A socket's path may have 107 bytes, so the folder's own name is short.
    folder = folder or Path(tempfile.mkdtemp(prefix="csp-pg-", dir=_quickest_place()))
    folder.mkdir(mode=0o700, exist_ok=True)
    user = unprivileged_user()
    if user is not None:
        os.chown(folder, user.pw_uid, user.pw_gid)
    server = Server(folder)
    try:
        _start_in(folder)
    except BaseException:
        server.stop()
        raise
    return server


def _quickest_place() -> Path:
    """In memory where there is room (making a database takes 14 ms instead of up to 300), else among temporary files."""
    roomy = MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= MEMORY_NEEDED
    return MEMORY if roomy else Path(tempfile.gettempdir())


def _start_in(folder: Path) -> None:
    data = str(folder / "data")
    _run("initdb", "-D", data, "-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
    settings = {**SETTINGS, "unix_socket_directories": str(folder)}
    options = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
    log = folder / "server.log"
    _run("pg_ctl", "start", "-D", data, "-l", str(log), "-w", "-t", str(START_SECONDS), "-o", options, log=log)


def _run(name: str, *arguments: str, check: bool = True, log: Path | None = None) -> None:
    done = subprocess.run(
        [find_program(name), *arguments],
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,  # not a pipe: the server would keep it open
        stderr=subprocess.PIPE if log is None else subprocess.DEVNULL,
        timeout=START_SECONDS * 2,
        cwd="/",
        **_as_user(),
    )
    if check and done.returncode:
        said = log.read_text(errors="replace") if log and log.exists() else (done.stderr or b"").decode()
        raise RuntimeError(f"{name} failed ({done.returncode}): {said.strip()}")


def _as_user() -> dict[str, Any]:
    """The arguments that make a subprocess run as the unprivileged user, in a clean environment."""
    environment = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    user = unprivileged_user()
    if user is None:
        return {"env": environment}
    return {"env": environment, "user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _lasting_folder() -> Path:
    return Path(tempfile.gettempdir()) / f"csp-pg-lasting-{os.geteuid()}"


def main(arguments: list[str]) -> int:
    """The command line: start or stop a server that outlives the command."""
    folder = _lasting_folder()
    if arguments == ["start"]:
        server = Server(folder) if (folder / "data" / "postmaster.pid").exists() else start(folder)
        sys.stdout.write(f"{server.url()}\n")
        return 0
    if arguments == ["stop"]:
        Server(folder).stop()
        return 0
    sys.stderr.write("usage: python -m tests.support.postgres start|stop\n")
    return 2


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
