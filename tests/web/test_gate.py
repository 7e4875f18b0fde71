"""The gate: order of checks, and a start that refuses an undeclared endpoint (S-2)."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask, Response
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from csp_web import db
from csp_web.app import create_app
from csp_web.config import Settings
from csp_web.db import session
from csp_web.domain.access import sessions
from csp_web.models import UserSession
from csp_web.web.gate import check_declared, public
from tests.world import World

pytestmark = pytest.mark.one_database  # pages; what they ask of the database is tested in the domain on both


def test_an_endpoint_without_a_permission_stops_the_start(app: Flask) -> None:
    app.view_functions["forgotten"] = lambda: "open to all"
    with pytest.raises(RuntimeError, match="forgotten"):
        check_declared(app)


def test_a_probe_is_open(app: Flask, world: World) -> None:
    assert app.test_client().get("/readyz").status_code == 200


@pytest.mark.parametrize("words", ["database or disk is full", "attempt to write a readonly database", "locked"])
def test_f4_f5_pages_are_read_while_nothing_can_be_written(
    app: Flask, world: World, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    """That a session is in use is noted now and then; failing at it is no reason to refuse a page."""

    def refused(_token: str) -> None:
        raise OperationalError("UPDATE user_sessions", {}, Exception(words))

    alice = world.sign_in(app, "alice")
    before = session.query(UserSession).one().last_seen_at
    monkeypatch.setattr(sessions, "SEEN_EVERY", timedelta(seconds=-1))
    with monkeypatch.context() as full:
        full.setattr(sessions, "seen", refused)
        assert "Coho" in alice.get("/customers").text
    assert alice.get("/customers").status_code == 200
    session.rollback()
    assert session.query(UserSession).one().last_seen_at > before


def test_f5_a_database_that_can_only_be_read(app: Flask, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages are read; what would be written is refused in plain words."""
    alice = world.sign_in(app, "alice")
    token = re.search(r'name="csrf_token" value="([^"]+)"', alice.get("/account").text)
    assert token
    monkeypatch.setattr(sessions, "SEEN_EVERY", timedelta(seconds=-1))
    make_read_only(app.extensions["settings"].database_url)
    assert "Coho" in alice.get("/customers").text
    profile = {"csrf_token": token[1], "name": "Alice B.", "language": "en", "time_zone": "UTC"}
    answer = alice.post("/account", data=profile)
    assert answer.status_code == 503
    assert "The database can only be read at the moment." in answer.text


def make_read_only(url: str) -> None:
    """What a mount that became read-only, or a standby, does to a process that is started then."""
    if not db.on_sqlite():
        event.listen(db.engine(), "begin", lambda connection: connection.exec_driver_sql("SET TRANSACTION READ ONLY"))
        return
    path = Path(url.removeprefix("sqlite:///"))
    for lock in (f"{path}.writer", f"{path}.writer-next"):
        Path(lock).unlink(missing_ok=True)
        Path(lock).mkdir()
    db.configure(url)


def test_f7_a_database_that_is_away_is_said_in_a_page(
    app: Flask, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page of the error does not ask the database again who is signed in."""

    def away(*_given: object, **_more: object) -> None:
        raise OperationalError("SELECT", {}, Exception("server closed the connection"), connection_invalidated=True)

    alice = world.sign_in(app, "alice")
    monkeypatch.setattr(sessions, "actor_for", away)
    answer = alice.get("/customers")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert "The database does not answer at the moment." in answer.text


def test_t17_an_unknown_host_gets_a_plain_refusal(settings: Settings) -> None:
    site = create_app(replace(settings, trusted_hosts=("csp.example",)))
    answer = site.test_client().get("/sign-in", headers={"Host": "evil.example"})
    assert (answer.status_code, answer.mimetype) == (400, "text/plain")
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert site.test_client().get("/sign-in", headers={"Host": "csp.example"}).status_code == 200


def test_s3_a_security_header_is_there_once(app: Flask) -> None:
    """Also where an answer brings one of its own."""

    @app.get("/of-its-own")
    @public
    def of_its_own() -> Response:
        return Response("x", headers={"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox"})

    for address in ("/of-its-own", "/sign-in"):
        names = [name.lower() for name, _value in app.test_client().get(address).headers]
        assert sorted(set(names)) == sorted(names)
        assert {"x-content-type-options", "content-security-policy", "cache-control"} <= set(names)
