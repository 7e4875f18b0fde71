"""A database of its own for every test, on SQLite or PostgreSQL, copied from one that was migrated once.

Which of the two: ``pytest --database=postgres``, or CSP_WEB_TEST_DATABASE in the environment.
"""

from __future__ import annotations

import fcntl
import itertools
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol
from weakref import WeakSet

import psycopg
import pytest
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine, make_url

from tests.support import postgres
from tests.world import World, build_world

KINDS = ("sqlite", "postgres")
WORLD_FILE = "world.json"
WORKER_INPUT = "csp_web_postgres_folder"


class Databases(Protocol):
    """Where new databases come from."""

    def prepare(self) -> World:
        """Make the two that the others are copied from: an empty one, and one with the people of ``tests.world``."""

    def create(self, folder: Path, *, inhabited: bool) -> str:
        """Make a new migrated database, empty or with the world; ``folder`` is the test's own. Returns its address."""

    def drop(self, url: str) -> None:
        """Remove it."""


@dataclass(frozen=True)
class SqliteDatabases:
    """One migrated file, copied for each test."""

    template: Path

    @property
    def inhabited(self) -> Path:
        """The template with the world in it."""
        return self.template.with_suffix(".world")

    def prepare(self) -> World:
        _migrate(f"sqlite:///{self.template}")
        _settle(self.template)
        shutil.copyfile(self.template, self.inhabited)
        world = _inhabit(f"sqlite:///{self.inhabited}")
        _settle(self.inhabited)
        return world

    def create(self, folder: Path, *, inhabited: bool) -> str:
        path = folder / "csp-web.sqlite3"
        shutil.copyfile(self.inhabited if inhabited else self.template, path)
        return f"sqlite:///{path}"

    def drop(self, url: str) -> None:
        """The file goes with the test's folder."""


@dataclass(frozen=True)
class PostgresDatabases:
    """One migrated template database, cloned by the server for each test."""

    server: postgres.Server
    template: str = "csp_web_template"
    inhabited: str = "csp_web_world"

    def prepare(self) -> World:
        for name in (self.inhabited, self.template):
            self._execute(f"DROP DATABASE IF EXISTS {name}")
        self._execute(f"CREATE DATABASE {self.template}")
        _migrate(self.server.url(self.template))
        self._execute(f"CREATE DATABASE {self.inhabited} TEMPLATE {self.template}")
        return _inhabit(self.server.url(self.inhabited))

    def create(self, folder: Path, *, inhabited: bool) -> str:
        del folder
        name = f"csp_web_{os.getpid()}_{next(_numbers)}"
        template = self.inhabited if inhabited else self.template
        with self._connect() as connection:
            # From version 15 on there is a choice; where nothing is synced, copying files is three times faster.
            strategy = "STRATEGY FILE_COPY" if connection.info.server_version >= 150000 else ""
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} {strategy}".encode())
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


def _inhabit(url: str) -> World:
    from csp_web import db

    db.configure(url)
    world = build_world()
    _close_all()
    return world


def _settle(path: Path) -> None:
    """Put everything of a SQLite database into its one file."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@contextmanager
def alone(path: Path) -> Iterator[None]:
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
    done = shared / WORLD_FILE
    with alone(shared / "migrate.lock"):
        if not done.exists():
            done.write_text(json.dumps(asdict(source.prepare())))
    return source


@pytest.fixture
def database_url(databases: Databases, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a migrated database that only this test uses: empty, or with the world if the test asks for it."""
    url = databases.create(tmp_path, inhabited="world" in request.fixturenames)
    yield url
    _close_all()
    databases.drop(url)


@pytest.fixture
def world(database: None, tmp_path_factory: pytest.TempPathFactory) -> World:
    """Two partners, their people and customers in this test's database: made once in the run, copied for the test."""
    del database
    return World(**json.loads((shared_folder(tmp_path_factory) / WORLD_FILE).read_text()))
