"""Every test has a database of its own, migrated and empty; the PostgreSQL of a run goes away with it."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from csp_web import db, migrate
from tests.support import postgres


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_has_a_migrated_database_of_its_own(database: None, database_url: str, turn: int) -> None:
    assert migrate.current(database_url) == migrate.newest()
    with db.engine().begin() as connection:
        connection.execute(text("CREATE TABLE left_behind (turn INTEGER)"))
        connection.execute(text("INSERT INTO left_behind VALUES (:turn)"), {"turn": turn})
        assert connection.scalar(text("SELECT turn FROM left_behind")) == turn


def test_the_database_is_the_one_that_was_asked_for(database: None, database_kind: str) -> None:
    assert db.engine().dialect.name == {"sqlite": "sqlite", "postgres": "postgresql"}[database_kind]


def test_a_server_starts_on_a_socket_only_and_stops_for_good() -> None:
    server = postgres.start()
    try:
        with psycopg.connect(f"host={server.folder} user={postgres.SUPERUSER} dbname=postgres") as connection:
            assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
            assert connection.execute("SHOW server_encoding").fetchone() == ("UTF8",)
    finally:
        server.stop()
    assert not server.folder.exists()
    server.stop()


def test_a_server_ends_with_a_process_that_is_killed() -> None:
    code = (
        "import sys, time\n"
        "from tests.support import postgres\n"
        "server = postgres.start()\n"
        "watch = server.stop_with_me()\n"
        "print(server.folder, flush=True)\n"
        "time.sleep(100)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        folder = Path(owner.stdout.readline().strip())
        assert (folder / "data" / "postmaster.pid").exists()
        owner.kill()
    deadline = time.monotonic() + 30
    while folder.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not folder.exists()


def test_a_missing_postgresql_is_said_plainly(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(postgres.PostgresMissing, match="apt-get install postgresql"):
        postgres.find_program("no-such-program")
