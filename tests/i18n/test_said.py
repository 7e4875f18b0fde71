"""B13: what the system writes down in the language of whoever acts is read in the language of whoever reads."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from csp_web import i18n
from csp_web.db import now, session, transaction
from csp_web.domain.audit_words import reason
from csp_web.domain.delivery.links import get_keys_and_downloads, revoke_link
from csp_web.i18n import gettext as _
from csp_web.i18n import ngettext
from csp_web.models import AuditEntry, DownloadLink, DownloadOption, Subscription, User
from csp_web.said import MARK, again, joined, stored
from tests.support import jobs, tickets
from tests.support.files import add_option
from tests.support.stock import bought, sku_of, stock
from tests.world import World

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def read(text: str, language: str = "ru", zone: str = "UTC") -> str:
    with i18n.use_place(language, zone):
        return again(text)


@pytest.mark.parametrize(
    ("said", "russian"),
    [
        (lambda: _("Replaced by a newer link."), "Заменена новой ссылкой."),
        (lambda: ngettext("%(num)s row cannot be taken.", "%(num)s rows cannot be taken.", 2), "2 строки"),
        (lambda: _("This key was revoked on %(at)s.", at=i18n.format_datetime(NOON)), "22 нояб. 2026, 15:00"),
        (lambda: joined((_("There is no fee."), "", _("Nothing yet"))), "Пока ничего"),
        (lambda: _("At most %(money)s a year.", money=i18n.format_money(500_000, "EUR")), "5\N{NO-BREAK SPACE}000,00"),
        (lambda: i18n.lazy_gettext("Nothing yet"), "Пока ничего"),
    ],
)
def test_what_was_said_in_english_is_read_in_russian_and_on_the_readers_clock(said: Any, russian: str) -> None:
    with i18n.use_place("en"):
        english = str(said())
        kept = stored(said())
    assert russian in read(kept, zone="Europe/Moscow")
    assert read(kept, "en") == english


@pytest.mark.parametrize("typed", ["Wrong person", 'csp:["text","Sign in",{}]', "csp:", "100 %(x)s"])
def test_what_a_person_typed_is_shown_as_it_is(typed: str) -> None:
    assert read(stored(typed)) == typed


@pytest.mark.parametrize(
    "broken",
    [
        "csp:",
        "csp:[",
        "csp:{}",
        'csp:["none"]',
        'csp:["text"]',
        "csp:" + "[" * 5000,
        'csp:["joined",1,["a"]]',
        'csp:["size",1e999]',
        'csp:["money",1e999,"USD"]',
        'csp:["datetime","0001-01-01T00:00:00+14:00"]',
    ],
)
def test_what_cannot_be_read_is_shown_as_it_is(broken: str) -> None:
    assert read(broken) == broken


def test_a_text_that_the_product_does_not_say_any_more_is_filled_and_no_more() -> None:
    assert (
        read('csp:["text","Old words of %(name)s, %(x)99999999s",{"name":"Bob"}]') == "Old words of Bob, %(x)99999999s"
    )


def test_a_text_that_would_not_fit_its_column_is_kept_in_words() -> None:
    kept = stored(_("Revoked by %(name)s.", name="A" * 600), 500)
    assert len(kept) == 500
    assert not kept.startswith(MARK)


@pytest.fixture
def acted(app: Flask, world: World) -> World:
    """Alice and Sam speak English, Audrey reads Russian."""
    with transaction():
        session.execute(update(User).where(User.id == world.people["audrey"]).values(language="ru"))
    tickets.install_types()
    return world


def software(app: Flask, world: World, line: int) -> str:
    row = session.get_one(Subscription, line)
    address = f"/customers/{row.customer.uuid}/software?open={row.uuid}"
    session.remove()
    return world.sign_in(app, "audrey").get(address).text


def hand_over(world: World, line: int, option: int) -> int:
    with transaction():
        row, file = session.get_one(Subscription, line), session.get_one(DownloadOption, option)
        return get_keys_and_downloads(row, file, by=world.actor("alice")).link.id


def test_b13_reasons_at_links_and_in_the_log_are_read_in_the_readers_language(app: Flask, acted: World) -> None:
    option = add_option(acted).id
    stock(sku_of(acted), "Windows Server 2025", 3)
    line = bought(acted).id
    hand_over(acted, line, option)
    second = hand_over(acted, line, option)
    with transaction():
        revoke_link(session.get_one(DownloadLink, second), by=acted.actor("alice"))
    name = acted.actor("alice").name
    page, log = software(app, acted, line), acted.sign_in(app, "audrey").get("/audit").text
    for text in ("Заменена новой ссылкой.", f"Кто отозвал: {name}."):
        assert (text in page, text in log) == (True, True), text
    assert "Replaced by" not in page + log
    assert "Revoked by" not in page + log


def test_b13_the_reason_of_a_cancellation_is_read_in_the_readers_language(app: Flask, acted: World) -> None:
    line = tickets.line_of(acted, at=now())
    hand_over(acted, line, add_option(acted).id)
    ticket = tickets.file_refund(acted, line, at=now())
    number = ticket.number
    tickets.approve_ticket(acted, ticket, by="sam")
    assert f"Отменено по обращению {number}." in acted.sign_in(app, "audrey").get("/audit").text


def test_b13_refusals_in_the_log_are_read_in_the_readers_language(app: Flask, acted: World) -> None:
    audrey = acted.sign_in(app, "audrey")
    bob = acted.sign_in(app, "bob")
    assert bob.get("/audit").status_code == 403
    log = audrey.get("/audit").text
    assert "This needs the role" not in log
    assert "Для этого нужна роль" in log
    kept = session.scalars(select(AuditEntry).filter_by(operation="refused")).one().details["reason"]
    with i18n.use_place("en"):
        assert reason(kept).startswith("This needs the role: ")


def test_b13_what_came_of_long_work_is_read_in_the_readers_language(app: Flask, acted: World) -> None:
    content = jobs.customer_rows(2) + b"no GUID,Somebody,somebody.example,Reseller,US\n"
    number = jobs.start("import_customers", acted.actor("alice"), content=content)
    jobs.work()
    with transaction():
        session.execute(update(User).where(User.id == acted.people["alice"]).values(language="ru"))
    page = acted.sign_in(app, "alice").get(f"/jobs/{number}").text
    assert "Nothing was imported" not in page
    assert "Line 4" not in page
    assert "Строка 4" in page
