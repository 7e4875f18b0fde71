"""Fixtures for all tests. The databases are in support/databases.py, the real server in support/live.py."""

from __future__ import annotations

import os
import re
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings as hypothesis_settings
from jinja2 import FileSystemBytecodeCache

from csp_web import db
from csp_web.config import Settings, complete
from csp_web.domain.upkeep import installation
from csp_web.i18n import set_place

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

pytest_plugins = [
    "tests.support.no_skips",
    "tests.support.routes",
    "tests.support.databases",
    "tests.support.live",
    "tests.support.browser",
    "tests.support.people",
    "tests.support.accounts",
    "tests.support.post",
    "tests.support.s3",
    "tests.support.site_browser",
]

# The same examples in every run, and no limit of time for one: a slow machine fails nothing.
hypothesis_settings.register_profile("csp-web", deadline=None, derandomize=True, database=None)
hypothesis_settings.load_profile("csp-web")

GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def pytest_make_parametrize_id(val: object) -> str | None:
    """Call random parameters alike in every process: all of them have to know the tests by the same names."""
    return "guid" if isinstance(val, uuid.UUID) or (isinstance(val, str) and GUID.fullmatch(val)) else None


@pytest.fixture(autouse=True)
def _english() -> None:
    """Every test begins in English and UTC, whatever the one before it spoke."""
    set_place("en")


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    """The settings of an installation that only this test uses."""
    return complete(
        Settings(
            data_dir=tmp_path / "data",
            database_url=database_url,
            public_url="http://localhost",
            secret_key="not-a-secret-" * 4,
            keys_key="6b" * 32,
        )
    )


@pytest.fixture
def database(settings: Settings) -> None:
    """The session and the domain work on this test's installation: enough for verbs, which need no application."""
    db.configure(settings.database_url)
    installation.configure(settings)


@pytest.fixture(scope="session")
def bytecode(tmp_path_factory: pytest.TempPathFactory) -> FileSystemBytecodeCache:
    """Templates translated once in a run, not once in every test's application."""
    return FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))


@pytest.fixture
def app(settings: Settings, bytecode: FileSystemBytecodeCache) -> Flask:
    """The application on this test's database."""
    from csp_web.app import create_app

    made = create_app(settings)
    made.testing = True
    made.jinja_env.bytecode_cache = bytecode
    return made


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without JavaScript: plain HTTP against the application."""
    return app.test_client()


@pytest.fixture(scope="session")
def base_url() -> None:
    """Browsers get their address from the server that they look at, not from the command line."""


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Debian's Chromium, silent towards its maker; as root it has to do without its sandbox."""
    from tests.support.browser import CHROMIUM_ARGUMENTS, find_chromium

    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    return {
        **browser_type_launch_args,
        "executable_path": find_chromium(),
        "args": [*CHROMIUM_ARGUMENTS, *as_root],
    }
