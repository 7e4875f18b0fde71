"""B2: a person sends so many links by mail a day, exactly, also over two processes; then the page says from when on more."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import func, select

from csp_web import db
from csp_web.config import Settings
from csp_web.db import now, session, transaction
from csp_web.domain.access.actors import Actor
from csp_web.domain.delivery import link_mails
from csp_web.domain.delivery.link_mails import Letter, send_link
from csp_web.domain.delivery.links import get_keys_and_downloads
from csp_web.domain.upkeep import configured
from csp_web.errors import Refused
from csp_web.models import DownloadLink, DownloadOption, LinkMailings, OutboxMessage, Subscription
from tests.support.crowd import Part, all_at_once
from tests.support.files import add_option
from tests.support.stock import bought
from tests.world import World

QUOTA, SENDERS = 4, 16
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def links_of(world: World, count: int) -> list[int]:
    """Links of lines of their own: nobody waits for another's link."""
    option, made = add_option(world).id, []
    lines = [bought(world).id for _link in range(count)]
    with transaction():
        file = session.get_one(DownloadOption, option)
        for line in lines:
            wanted = session.get_one(Subscription, line)
            made.append(get_keys_and_downloads(wanted, file, by=world.actor("alice")).link.id)
    return made


def send(world: World, link: int, form: str = "") -> str:
    try:
        with transaction():
            letter = Letter(f"anna{link}@coho.example", "en")
            row = session.get_one(DownloadLink, link)
            send_link(row, letter, by=world.actor("alice"), form_token=form or f"form-of-link-{link}")
        return "sent"
    except Refused as refusal:
        return refusal.rule


def crowd(world: World, settings: Settings, links: list[int], *, planted: bool = False) -> Counter[str]:
    def begin() -> Part:
        db.configure(settings.database_url)
        configured.configure(replace(settings, link_mail_quota=QUOTA))
        if planted:
            link_mails._count = nothing_counted
        return lambda link: send(world, link)

    return Counter(all_at_once(begin, links, threads=SENDERS // 2))


def nothing_counted(by: Actor) -> None:
    """The planted mistake: whoever it is, nothing is counted."""
    del by


def check(outcomes: Counter[str]) -> None:
    assert outcomes == Counter({"sent": QUOTA, "B2": SENDERS - QUOTA})
    assert session.scalar(select(LinkMailings.count)) == QUOTA
    assert session.scalar(select(func.count()).where(OutboxMessage.link_id.is_not(None))) == QUOTA


def test_b2_over_two_processes_the_limit_of_the_day_is_exact(world: World, settings: Settings) -> None:
    check(crowd(world, settings, links_of(world, SENDERS)))


def test_the_proof_sees_a_limit_that_nobody_keeps(world: World, settings: Settings) -> None:
    with pytest.raises(AssertionError):
        check(crowd(world, settings, links_of(world, SENDERS), planted=True))


def test_b2_the_refusal_says_when_the_next_day_begins_and_then_it_goes_on(world: World, settings: Settings) -> None:
    configured.configure(replace(settings, link_mail_quota=1))
    with time_machine.travel(NOON, tick=False) as clock:
        first, second = links_of(world, 2)
        assert [send(world, first), send(world, first), send(world, second)] == [
            "sent",
            "sent",
            "B2",
        ]  # one form: one mail
        with (
            pytest.raises(Refused, match=r"You have sent 1 link by mail today\. More can be sent from 3 Mar 2026"),
            transaction(),
        ):
            link_mails._count(world.actor("alice"))
        clock.move_to(NOON.replace(hour=0) + timedelta(days=1))
        assert send(world, second) == "sent"
        assert now().date() == session.scalars(select(LinkMailings.day).order_by(LinkMailings.day.desc())).first()
