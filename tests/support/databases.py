"""A database of its own for every test, on SQLite or PostgreSQL, copied from one that was migrated once.

Which of the two: ``pytest --database=postgres``, or CSP_WEB_TEST_DATABASE in the environment.
"""

from __future__ import annotations

import fcntl
import itertools
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from weakref import WeakSet

import psycopg
import pytest
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine, make_url

from tests.support import postgres

KINDS = ("sqlite", "postgres")
WORKER_INPUT = "csp_web_postgres_folder"


class Databases(Protocol):
    """Where new databases come from."""

    def migrate(self) -> None:
        """Make the one that the others are copied from."""

    def create(self, folder: Path) -> str:
        """Make a new, migrated, empty database; ``folder`` is the test's own. Returns its address."""

    def drop(self, url: str) -> None:
        """Remove it."""


@dataclass(frozen=True)
class SqliteDatabases:
    """One migrated file, copied for each test."""

    template: Path

    def migrate(self) -> None:
        _migrate(f"sqlite:///{self.template}")
        with closing(sqlite3.connect(self.template)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def create(self, folder: Path) -> str:
        path = folder / "csp-web.sqlite3"
        shutil.copyfile(self.template, path)
        return f"sqlite:///{path}"

    def drop(self, url: str) -> None:
        """The file goes with the test's folder."""


@dataclass(frozen=True)
class PostgresDatabases:
    """One migrated template database, cloned by the server for each test."""

    server: postgres.Server
    template: str = "csp_web_template"

    def migrate(self) -> None:
        self._execute(f"DROP DATABASE IF EXISTS {self.template}")
        self._execute(f"CREATE DATABASE {self.template}")
        _migrate(self.server.url(self.template))

    def create(self, folder: Path) -> str:
        del folder
        name = f"csp_web_{os.getpid()}_{next(_numbers)}"
        with self._connect() as connection:
            # From version 15 on there is a choice; where nothing is synced, copying files is three times faster.
            strategy = "STRATEGY FILE_COPY" if connection.info.server_version >= 150000 else ""
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {self.template} {strategy}".encode())
        return self.server.url(name)

    def drop(self, url: str) -> None:
        self._execute(f"DROP DATABASE {make_url(url).database} WITH (FORCE)")

    def _execute(self, command: str) -> None:
        with self._connect() as connection:
            connection.execute(command.encode())

    def _connect(self) -> psycopg.Connection:
        address = f"host={self.server.folder} user={postgres.SUPERUSER} dbname=postgres"
        return psycopg.connect(address, autocommit=True)


_numbers = itertools.count(1)
_engines: WeakSet[Engine] = WeakSet()


@event.listens_for(Engine, "engine_connect")
def _remember(connection: Connection) -> None:
    _engines.add(connection.engine)


def _close_all() -> None:
    """Close every connection of this process, whoever opened it: nothing leaks into the next test."""
    from csp_web import db

    db.session.remove()
    for engine in list(_engines):
        engine.dispose()
    _engines.clear()


def _migrate(url: str) -> None:
    from csp_web import migrate

    migrate.upgrade(url)
    _close_all()  # PostgreSQL clones only a database that nobody is connected to


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold a lock that the other processes of the test run respect."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of this test run share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base


class PostgresOfTheRun:
    """Starts the server before the first test, hands it to the worker processes, ends it after the last."""

    def __init__(self) -> None:
        self.server = postgres.start()
        self.watch = self.server.stop_with_me()

    def pytest_configure_node(self, node: object) -> None:
        """Tell a worker process of pytest-xdist where the server is."""
        node.workerinput[WORKER_INPUT] = str(self.server.folder)  # type: ignore[attr-defined]

    def pytest_unconfigure(self) -> None:
        """End the server."""
        self.server.stop()
        self.watch.communicate(timeout=postgres.START_SECONDS)


def server_of_the_run(config: pytest.Config) -> postgres.Server:
    """The PostgreSQL of this run, started when it is first asked for."""
    workerinput = getattr(config, "workerinput", None)
    if workerinput is not None:
        return postgres.Server(Path(workerinput[WORKER_INPUT]))
    plugin = config.pluginmanager.get_plugin("csp-web-postgres")
    if not isinstance(plugin, PostgresOfTheRun):
        plugin = PostgresOfTheRun()
        config.pluginmanager.register(plugin, "csp-web-postgres")
    return plugin.server


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the database be chosen. The variable is taken away: the product refuses settings that it does not know."""
    default = os.environ.pop("CSP_WEB_TEST_DATABASE", "sqlite")
    parser.addoption("--database", choices=KINDS, default=default, help="run the tests on this database")


def pytest_configure(config: pytest.Config) -> None:
    """Start PostgreSQL before the worker processes, which share it."""
    if config.getoption("--database") == "postgres":
        server_of_the_run(config)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On PostgreSQL run what asks for a database; the rest has nothing new to say there."""
    if config.getoption("--database") == "postgres":
        kept = [item for item in items if "database_kind" in getattr(item, "fixturenames", ())]
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = kept


@pytest.fixture(scope="session")
def database_kind(pytestconfig: pytest.Config) -> str:
    """``sqlite`` or ``postgres``."""
    return str(pytestconfig.getoption("--database"))


@pytest.fixture(scope="session")
def databases(database_kind: str, pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Databases:
    """Where the run's databases come from; the migrations run once in the whole test run."""
    shared = shared_folder(tmp_path_factory)
    source: Databases = (
        SqliteDatabases(shared / "template.sqlite3")
        if database_kind == "sqlite"
        else PostgresDatabases(server_of_the_run(pytestconfig))
    )
    done = shared / "migrated"
    with _alone(shared / "migrate.lock"):
        if not done.exists():
            source.migrate()
            done.touch()
    return source


@pytest.fixture
def database_url(databases: Databases, tmp_path: Path) -> Iterator[str]:
    """The address of a migrated, empty database that only this test uses."""
    url = databases.create(tmp_path)
    yield url
    _close_all()
    databases.drop(url)
