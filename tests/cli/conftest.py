"""Installations for the tests of the command."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url

from csp_web import db
from tests.support.command_line import CommandLine
from tests.support.databases import Databases, PostgresDatabases

PASSWORD = "correct horse battery staple"


@pytest.fixture
def cli(tmp_path: Path, database_url: str) -> CommandLine:
    """An installation with a migrated, empty database."""
    return CommandLine(tmp_path / "data", database_url)


@pytest.fixture
def ready(cli: CommandLine) -> CommandLine:
    """An installation with its rules, an operator admin and one partner with an admin agent."""
    cli.say("init")
    operator = ("--partner", "Northwind", "--operator", "--role", "operator admin", "--role", "support agent")
    cli.say("user", "add", "olga@northwind.example", "--name", "Olga", *operator, "--password", PASSWORD)
    agent = ("--partner", "Contoso", "--role", "admin agent")
    cli.say("user", "add", "alice@contoso.example", "--name", "Alice", *agent, "--password", PASSWORD)
    return cli


@pytest.fixture
def empty(tmp_path: Path, databases: Databases, database_kind: str) -> Iterator[CommandLine]:
    """A machine on which nothing was set up: no data directory, no table."""
    folder = tmp_path / "elsewhere"
    if database_kind == "sqlite":
        yield CommandLine(folder, f"sqlite:///{folder / 'csp-web.sqlite3'}")
        return
    assert isinstance(databases, PostgresDatabases)
    name = f"empty_{os.getpid()}"
    _execute(databases, f"CREATE DATABASE {name}")
    yield CommandLine(folder, databases.server.url(name))
    db.session.remove()
    db.engine().dispose()
    _execute(databases, f"DROP DATABASE {name} WITH (FORCE)")


def _execute(databases: PostgresDatabases, command: str) -> None:
    url = make_url(databases.server.url())
    with psycopg.connect(
        f"host={url.query['host']} user={url.username} dbname=postgres", autocommit=True
    ) as connection:
        connection.execute(command.encode())
