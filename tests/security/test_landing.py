"""R29, T1, B2: who opens a download link sees the product and nothing of the customer, whatever became of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import time_machine
from sqlalchemy import select

from csp_web.db import now, session, transaction
from csp_web.domain.delivery import links
from csp_web.domain.delivery.download_options import withdraw_file
from csp_web.domain.delivery.links import get_keys_and_downloads, revoke_link
from csp_web.models import DownloadLink, DownloadOption, Partner, Subscription, User
from tests.support.files import add_option
from tests.support.plain import PlainBrowser
from tests.support.stock import bought
from tests.support.tickets import approve_ticket, file_refund, install_types

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask

    from tests.world import World

pytestmark = pytest.mark.one_database  # pages; what they ask of the database is tested in the domain on both

LANGUAGES = ("en", "ru")


@dataclass(frozen=True)
class Sent:
    """A link that was sent to somebody."""

    address: str
    line: int

    @property
    def link(self) -> DownloadLink:
        """Its row, read afresh."""
        session.rollback()
        return session.scalars(select(DownloadLink)).one()


@pytest.fixture
def sent(world: World) -> Sent:
    """A link for a named person of the customer, with a reference of the partner's on its order."""
    option, line = add_option(world), bought(world)
    with transaction():
        line = session.get_one(Subscription, line.id)
        line.order.reference = "PO-4711-Coho"
        made = get_keys_and_downloads(line, option, by=world.actor("alice"), recipient="anna@coho.example")
        return Sent(f"/d/{links.token_of(made.link)}", line.id)


def secrets_of(sent: Sent) -> list[str]:
    """All that says whose it is: names, addresses, GUIDs, numbers, of customer, partner, people, order."""
    line = session.get_one(Subscription, sent.line)
    customer, order = line.customer, line.order
    people = session.execute(select(User.name, User.email)).all()
    partners = session.scalars(select(Partner.name)).all()
    guids = [str(customer.uuid), customer.uuid.hex, str(line.uuid), line.uuid.hex]
    of_order = [order.order_id, str(order.alternate_id), order.reference]
    mine = [customer.company_name, customer.domain, "anna", *guids, *of_order]
    return [each.lower() for each in [*mine, *partners, *(text for person in people for text in person)]]


def seen(app: Flask, sent: Sent, language: str, status: int) -> str:
    """What a stranger gets: the page and its headers, in small letters, without the link's own random token."""
    answer = app.test_client().get(f"{sent.address}?lang={language}")
    assert answer.status_code == status
    assert f'<html lang="{language}">' in answer.text
    text = f"{answer.headers}\n{answer.text}".replace(sent.address, "")
    return re.sub(r"csp_visitor=[^;]+", "", text).lower()


def told(app: Flask, sent: Sent, status: int) -> list[str]:
    """What a page that was reached tells of the customer; nothing."""
    return [
        f"{language}: {secret}"
        for language in LANGUAGES
        for secret in secrets_of(sent)
        if re.search(rf"\b{re.escape(secret)}\b", seen(app, sent, language, status))
    ]


def revoke(world: World, sent: Sent) -> None:
    with transaction():
        revoke_link(sent.link, by=world.actor("alice"))


def cancel(world: World, sent: Sent) -> None:
    install_types()
    approve_ticket(world, file_refund(world, sent.line, at=now()))


def withdraw(world: World, _sent: Sent) -> None:
    with transaction():
        withdraw_file(session.scalars(select(DownloadOption)).one(), reason="It does not start", by=world.actor("olga"))


def use_up(_world: World, sent: Sent) -> None:
    with transaction():
        link = sent.link
        link.used = link.max_downloads


def test_t1_a_living_link_tells_nothing_of_the_customer(app: Flask, sent: Sent) -> None:
    assert told(app, sent, 200) == []


@pytest.mark.parametrize("end", [revoke, cancel, withdraw, use_up])
def test_t1_a_link_that_ended_tells_nothing_of_the_customer(
    app: Flask, world: World, sent: Sent, end: Callable[[World, Sent], None]
) -> None:
    end(world, sent)
    assert told(app, sent, 410) == []


def test_t1_nor_does_one_whose_time_is_over(app: Flask, sent: Sent) -> None:
    with time_machine.travel(now() + timedelta(days=14), tick=False):
        assert told(app, sent, 410) == []


def test_the_test_sees_a_name_that_slipped_onto_the_page(app: Flask, sent: Sent) -> None:
    """Planted: a product that is called like the customer."""
    with transaction():
        sent.link.option.product.title = "Coho's own edition"
    assert told(app, sent, 200) == ["en: coho", "ru: coho"]


@pytest.mark.parametrize(("language", "button"), [("en", "Download"), ("ru", "Скачать")])
def test_r29_a_plain_form_is_all_it_takes(app: Flask, sent: Sent, language: str, button: str) -> None:
    """Without a script: one button in a form, and the file comes."""
    stranger = PlainBrowser(app.test_client()).open(f"{sent.address}?lang={language}").press(button)
    assert stranger.answer is not None
    assert stranger.answer.headers["Content-Disposition"].startswith("attachment")
    assert sent.link.used == 1
