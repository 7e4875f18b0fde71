"""**Send link** and the notices before a link ends: by a real SMTP server, in each reader's language (R26, R29, B2)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select

from csp_web.db import now, session, transaction
from csp_web.domain import outbox
from csp_web.domain.delivery import link_notices
from csp_web.domain.delivery.link_facts import address_of
from csp_web.domain.delivery.link_mails import Letter, send_link
from csp_web.domain.delivery.link_notices import tell_of_ending
from csp_web.domain.delivery.links import get_keys_and_downloads, revoke_link
from csp_web.domain.delivery.transfers import Visitor, open_transfer
from csp_web.errors import Conflict, Forbidden, Invalid, Refused
from csp_web.models import (
    AuditEntry,
    DownloadLink,
    DownloadOption,
    LinkEvent,
    OutboxMessage,
    OutboxState,
    Role,
    Subscription,
    UserRole,
)
from csp_web.services.mail import SmtpServer
from tests.support.files import OWN, add_option
from tests.support.people import user
from tests.support.post import Post
from tests.support.stock import bought, sku_of, stock
from tests.world import World

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
ANNA = Letter("Anna@Coho.example", "en")
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


def link(world: World, recipient: str = "") -> int:
    stock(sku_of(world), OWN, 5)  # nobody has to be told that keys are missing
    line, option = bought(world), _option(world)
    with transaction():
        made = get_keys_and_downloads(
            session.get_one(Subscription, line.id),
            session.get_one(DownloadOption, option.id),
            by=world.actor("alice"),
            recipient=recipient,
        )
        return made.link.id


def _option(world: World) -> DownloadOption:
    return session.scalars(select(DownloadOption).limit(1)).first() or add_option(world)


def row(number: int) -> DownloadLink:
    return session.get_one(DownloadLink, number, populate_existing=True)


def send(world: World, number: int, letter: Letter = ANNA, *, by: str = "alice", form: str = "form-1") -> int:
    with transaction():
        return send_link(row(number), letter, by=world.actor(by), form_token=form).id


def mails() -> list[OutboxMessage]:
    return list(session.scalars(select(OutboxMessage).where(OutboxMessage.recipient.contains("@"))))


# ---------------------------------------------------------------- Send link


def test_s12_a_link_brings_no_more_mails_than_downloads(world: World) -> None:
    """Else anybody with a link could have the portal write to as many strangers as they like."""
    number = link(world)
    with transaction():
        row(number).max_downloads = 2
    for form in ("form-1", "form-2"):
        send(world, number, form=form)
    with pytest.raises(Refused, match="as often as it can be downloaded"):
        send(world, number, form="form-3")
    assert send(world, number, form="form-2")  # the same form again is the same mail
    session.rollback()
    assert len(mails()) == 2


def test_r29_the_mail_brings_the_link_and_all_that_is_needed(world: World, post: Post, server: SmtpServer) -> None:
    number = link(world)
    send(world, number, Letter("Anna@Coho.example", "en", "For the second server."))
    outbox.work_once(now(), server=server)
    body = post.mails[0].get_content()
    assert post.recipients == ["anna@coho.example"]
    assert post.mails[0]["Subject"] == "Download: Windows Server 2025 Datacenter"
    assert address_of(row(number)) in body
    assert "For the second server." in body
    assert row(number).option.sha256 in body
    assert "It is good for 50 downloads." in body


def test_r26_the_mail_says_the_minute_at_which_the_link_ends(world: World, post: Post, server: SmtpServer) -> None:
    with time_machine.travel(START, tick=False):
        send(world, link(world))
        outbox.work_once(now(), server=server)
    (said,) = [line for line in post.mails[0].get_content().splitlines() if "works until" in line]
    assert "until 16 Mar 2026, 12:00 (UTC)" in " ".join(said.split()), said


def test_b2_the_address_is_nowhere_in_the_database(world: World) -> None:
    number = link(world)
    send(world, number)
    token = address_of(row(number)).rpartition("/")[2]
    stored = [
        repr(vars(each)) for model in (OutboxMessage, LinkEvent, AuditEntry) for each in session.scalars(select(model))
    ]
    assert not any(token in text for text in stored)


def test_b13_in_the_language_of_the_recipient(world: World, post: Post, server: SmtpServer) -> None:
    send(world, link(world), Letter("anna@coho.example", "ru"))
    outbox.work_once(now(), server=server)
    assert "SHA-256" in post.mails[0].get_content()
    assert "Open it and press" not in post.mails[0].get_content()


def test_b2_a_link_that_was_revoked_meanwhile_is_not_sent(world: World, post: Post, server: SmtpServer) -> None:
    number = link(world)
    mail = send(world, number)
    with transaction():
        revoke_link(row(number), by=world.actor("alice"))
    outbox.work_once(now(), server=server)
    failed = session.get_one(OutboxMessage, mail, populate_existing=True)
    assert (failed.state, post.mails) == (OutboxState.FAILED, [])
    assert "has ended" in failed.error


def test_s2_only_an_admin_agent_sends_and_only_a_living_link(world: World) -> None:
    number = link(world)
    with pytest.raises(Forbidden):
        send(world, number, by="bob")
    with transaction():
        revoke_link(row(number), by=world.actor("alice"))
    with pytest.raises(Refused):
        send(world, number)


def test_t5_the_same_form_twice_is_one_mail_and_other_content_is_refused(world: World) -> None:
    number = link(world)
    assert send(world, number) == send(world, number)
    assert len(mails()) == 1
    with pytest.raises(Conflict):
        send(world, number, Letter("other@coho.example", "en"))


@pytest.mark.parametrize(
    ("letter", "field"),
    [
        (Letter("anna", "en"), "email"),
        (Letter("anna@coho.example\nBcc: all@coho.example", "en"), "email"),
        (Letter("anna@coho.example", "xx"), "language"),
        (Letter("anna@coho.example", "en", "x" * 1001), "note"),
    ],
)
def test_what_does_not_fit_is_said_at_its_field(world: World, letter: Letter, field: str) -> None:
    number = link(world)
    with pytest.raises(Invalid) as refusal:
        send(world, number, letter)
    assert set(refusal.value.problems) == {field}
    assert mails() == []


def test_b11_who_sent_it_to_whom_is_in_the_log_of_the_link_and_of_acts(world: World) -> None:
    number = link(world)
    send(world, number)
    event = session.scalars(select(LinkEvent).filter_by(link_id=number, kind="sent")).one()
    assert (event.address, event.by_id) == ("anna@coho.example", world.people["alice"])
    entry = session.scalars(select(AuditEntry).filter_by(operation="send_download_link")).one()
    assert entry.details["recipient"] == "anna@coho.example"


# ---------------------------------------------------------------- notices


def press(number: int, times: int) -> None:
    for visit in range(times):
        with transaction():
            open_transfer(row(number), Visitor(cookie=f"visitor {visit} {row(number).used}"))


def test_b2_at_eighty_per_cent_its_maker_is_told_once(world: World) -> None:
    number = link(world, "IT of Coho")
    with transaction():
        row(number).max_downloads = 10
    press(number, 7)
    assert mails() == []
    press(number, 3)
    assert [mail.recipient for mail in mails()] == [world.actor("alice").email]
    assert mails()[0].subject == "2 downloads left of a link"
    assert "IT of Coho" in mails()[0].body
    assert address_of(row(number)) not in mails()[0].body


@pytest.mark.parametrize(("after", "told"), [(11 * DAY - SECOND, 0), (11 * DAY, 1), (14 * DAY, 0)])
def test_b2_three_days_before_the_end_its_maker_is_told(world: World, after: timedelta, told: int) -> None:
    with time_machine.travel(START, tick=False) as clock:
        link(world)
        clock.shift(after)
        tell_of_ending(now())
        assert len(mails()) == told
        tell_of_ending(now())
        assert len(mails()) == told


def test_b2_several_links_are_one_mail_and_short_lives_none(world: World) -> None:
    with time_machine.travel(START, tick=False) as clock:
        link(world), link(world)
        short = link(world)
        with transaction():
            row(short).expires_at = START + 2 * DAY
        tell_of_ending(now())
        assert mails() == []
        clock.shift(11 * DAY)
        tell_of_ending(now())
        assert [mail.subject for mail in mails()] == ["2 links end soon"]


def test_b2_all_links_that_end_are_told_of_in_one_round(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_notices, "BATCH", 2)
    with time_machine.travel(START, tick=False) as clock:
        for _number in range(5):
            link(world)
        clock.shift(11 * DAY)
        assert tell_of_ending(now()) == 5
        assert sorted(mail.subject for mail in mails()) == ["1 link ends soon", *["2 links end soon"] * 2]
        assert tell_of_ending(now()) == 0


def test_b2_when_its_maker_has_left_the_admin_agents_are_told(world: World) -> None:
    with time_machine.travel(START, tick=False) as clock:
        link(world)
        with transaction():
            user(world, "alice").disabled_at = now()
            session.add(UserRole(user_id=world.people["bob"], role=Role.ADMIN_AGENT))
        clock.shift(11 * DAY)
        assert tell_of_ending(now()) == 1
        assert [mail.recipient for mail in mails()] == [world.actor("bob").email]
