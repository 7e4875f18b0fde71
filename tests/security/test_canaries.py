"""D11, S-4, B4: of a thousand keys none is anywhere but in the answer that shows it: not whole, not in parts, not encoded."""

from __future__ import annotations

import base64
import gzip
import io
import sys
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from csp_web.blueprints.admin import keys
from csp_web.db import now, on_sqlite, session, transaction
from csp_web.domain import audit, outbox
from csp_web.domain.access.sessions import end_all
from csp_web.domain.stock import vault
from csp_web.logs import configure_logs
from csp_web.models import KeptForm, KeyPool
from tests.support.canaries import COUNT, STEM, canary, found_in, last_five, leaks
from tests.support.every_answer import Answer, keep_answers, walk
from tests.support.hiding_places import database_places, file_places, just_now, mail_places
from tests.support.key_story import PRODUCT, KeyStory, row_of
from tests.support.plain import PlainBrowser
from tests.support.stock import sku_of, stock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flask import Flask

    from csp_web.config import Settings
    from csp_web.services.mail import SmtpServer
    from tests.support.hiding_places import Place
    from tests.support.post import Post
    from tests.world import World


def everywhere(settings: Settings, since: float, printed: str) -> Iterator[Place]:
    yield from database_places(settings, since)
    yield from file_places(settings)
    yield "log", printed.encode()


def fail_while_showing(story: KeyStory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Something breaks while the key is in clear in the server's memory: 500, and a trace in the log."""
    story.app.testing = False
    with monkeypatch.context() as broken:
        broken.setattr(audit, "record", breaking)
        story.show()
    assert story.alice.answer is not None
    assert story.alice.answer.status_code == 500


def breaking(*_facts: object, **_more: object) -> None:
    raise RuntimeError("broken")


def found(places: Iterator[Place]) -> list[str]:
    return [leak for name, content in places for leak in leaks(name, content)]


@pytest.fixture
def log(app: Flask, monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What the application prints."""
    printed = io.StringIO()
    monkeypatch.setattr(sys, "stderr", printed)
    configure_logs()
    return printed


@pytest.fixture
def story(app: Flask, world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> KeyStory:
    """The story of keys, in which a sheet of some hundred rows is left to the worker."""
    monkeypatch.setattr(keys, "AT_ONCE", 30_000)

    def look() -> None:
        assert found(file_places(settings)) == []

    return KeyStory(app, world, look)


def test_d11_none_of_a_thousand_keys_is_anywhere_but_where_it_is_shown(
    settings: Settings,
    app: Flask,
    log: io.StringIO,
    story: KeyStory,
    post: Post,
    server: SmtpServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    since, answers = just_now(), keep_answers(app)
    story.begin()
    story.stock()
    story.hand_over()
    assert STEM in story.show()
    fail_while_showing(story, monkeypatch)
    story.quarantine()
    story.look_up()
    outbox.work_once(now(), server=server)  # before the link that a mail brings is revoked
    story.cancel()
    story.back_up()
    for browser in (story.alice, story.olga, story.sam):
        walk(app, browser.client)
    outbox.work_once(now(), server=server)
    check_the_way(answers, post)
    assert found((answer.name, answer.content) for answer in answers if not may_hold_a_key(answer)) == []
    assert found(mail_places(post)) == []
    assert found(everywhere(settings, since, log.getvalue())) == []


def check_the_way(answers: list[Answer], post: Post) -> None:
    """The story went where it should: every kind of page and error, a sheet from the worker, mails."""
    assert {200, 303, 404, 409, 422, 500} <= {answer.status for answer in answers}
    assert sum(map(shows_a_key, answers)) == 1
    subjects = " ".join(str(mail["Subject"]) for mail in post.mails)
    wanted = (
        "No key left:",
        "Keys are ready:",
        "Few keys left:",
        "Download:",
        "New support request",
        "cancellation was",
    )
    for subject in wanted:
        assert subject in subjects, subjects


def may_hold_a_key(answer: Answer) -> bool:
    """The one answer that shows a key; and those to an address into which a person wrote one."""
    return shows_a_key(answer) or STEM in answer.path + answer.query


def shows_a_key(answer: Answer) -> bool:
    return answer.path.endswith("/showing") and answer.status == 200


def test_the_search_finds_a_key_that_is_stored_in_clear_and_one_in_a_trace(
    settings: Settings, log: io.StringIO, story: KeyStory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two planted leaks: a vault that encrypts nothing, and an error that names the key."""
    since = just_now()
    monkeypatch.setattr(vault, "seal", lambda key, *, sku: vault.Sealed(key.encode(), vault.key_id()))
    monkeypatch.setattr(vault, "unseal", unreadable)
    story.begin()
    story.bring("Import", [row_of(number) for number in range(3)], status=200)
    story.order(PRODUCT, 1)
    story.app.testing = False
    story.show()
    where = found(everywhere(settings, since, log.getvalue()))
    assert "log: in clear" in where
    assert [leak for leak in where if leak.startswith(("csp-web.sqlite3", "data/base"))]
    assert on_sqlite() or "pg_dump: in hexadecimal" in where


def unreadable(sealed: vault.Sealed, **_more: object) -> None:
    raise RuntimeError(f"cannot read {sealed.ciphertext.decode()}")


@pytest.mark.parametrize(
    ("form", "hide"),
    [
        ("in clear", lambda text: text.encode()),
        ("in clear", lambda text: text.lower().replace("-", " ").encode()),
        ("in clear", lambda text: text[6:11].encode()),
        ("in UTF-16", lambda text: text.encode("utf-16-le")),
        ("in UTF-16", lambda text: text.encode("utf-16-be")),
        ("in hexadecimal", lambda text: text.encode().hex().encode()),
        ("in hexadecimal", lambda text: text.encode().hex().upper().encode()),
        ("percent-encoded", lambda text: "".join(f"%{ord(each):02X}" for each in text).encode()),
        ("as references of HTML", lambda text: "".join(f"&#{ord(each)};" for each in text).encode()),
        ("as escapes of JSON", lambda text: "".join(f"\\u{ord(each):04x}" for each in text).encode()),
        ("in base64", lambda text: base64.b64encode(text.encode())),
        ("in base64", lambda text: base64.b64encode(b"a" + text.encode())),
        ("in base64", lambda text: base64.urlsafe_b64encode(b"ab" + text.encode())),
        ("in clear", lambda text: gzip.compress(text.encode())),
    ],
)
def test_the_search_finds_a_key_however_it_is_written(form: str, hide: Callable[[str], bytes]) -> None:
    for number in (0, 7, COUNT - 1):
        assert any(leak.endswith(form) for leak in leaks("a page", hide(canary(number))))
        assert leaks("a page", hide(last_five(number))) == []


@pytest.mark.one_database
def test_s4_a_whole_key_typed_into_quarantine_is_not_kept_when_the_session_ended(app: Flask, world: World) -> None:
    stock(sku_of(world), "Windows Server 2025", 1)
    olga = world.sign_in(app, "olga")
    address = f"/admin/keys/{session.query(KeyPool).one().id}"
    token = PlainBrowser(olga).open(address).page.find("input", attrs={"name": "csrf_token"})
    with transaction():
        end_all(world.people["olga"], by=world.actor("olga"), resource="olga")
    fields = {"csrf_token": token["value"], "endings": canary(5), "reason": "Misprint?"}  # type: ignore[index]
    olga.post(f"{address}/quarantine", data=fields, headers={"Referer": f"http://localhost{address}"})
    (kept,) = session.scalars(select(KeptForm)).all()
    assert "Misprint?" in str(kept.content)
    assert found_in(str(kept.content).encode()) == []
