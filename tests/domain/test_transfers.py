"""Transfers: counted once per press and person, given back when they brought nothing (R26, D2, B2, P23)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from csp_web.config import Settings
from csp_web.db import now, session, transaction
from csp_web.domain.delivery import transfers
from csp_web.domain.delivery.links import LinkState, get_keys_and_downloads, revoke_link
from csp_web.domain.delivery.transfer_bytes import ByteLog
from csp_web.domain.delivery.transfers import (
    LinkEnded,
    Visitor,
    find_transfer,
    life_of,
    open_direct,
    open_transfer,
    settle_ended,
)
from csp_web.domain.long_work import periodic
from csp_web.domain.upkeep import configured
from csp_web.errors import Forbidden, NotFound
from csp_web.models import DownloadLink, DownloadOption, LinkEvent, Transfer
from tests.support.files import add_option
from tests.support.stock import bought
from tests.world import World

GIB = 1024**3
SECOND = timedelta(seconds=1)


@pytest.fixture
def link(world: World) -> int:
    """A link of Alice's, with ten bytes less than a kilobyte behind it."""
    option, subscription = add_option(world), bought(world)
    with transaction():
        return get_keys_and_downloads(subscription, option, by=world.actor("alice")).link.id


def row(number: int) -> DownloadLink:
    return session.get_one(DownloadLink, number, populate_existing=True)


def press(link: int, visitor: Visitor | str, at: datetime | None = None) -> int:
    who = Visitor(cookie=visitor) if isinstance(visitor, str) else visitor
    with transaction():
        return open_transfer(row(link), who, at=at).id


def events(link: int) -> list[str]:
    return list(session.scalars(select(LinkEvent.kind).filter_by(link_id=link).order_by(LinkEvent.id)))


def send(transfer: int, count: int, *, running: int = 0) -> None:
    with transaction():
        found = session.get_one(Transfer, transfer)
        found.bytes_sent, found.running = count, running


# ---------------------------------------------------------------- counting


def test_d2_a_press_counts_one_and_opens_a_transfer(link: int) -> None:
    press(link, "a")
    assert row(link).used == 1
    assert events(link) == ["made", "counted"]


def test_d2_the_same_person_pressing_again_gets_the_same_transfer(link: int) -> None:
    assert press(link, "a") == press(link, "a")
    assert row(link).used == 1


def test_after_the_secret_was_changed_a_press_opens_a_transfer_that_works(link: int, settings: Settings) -> None:
    visitor = Visitor(cookie="a")
    first = press(link, visitor)
    configured.configure(replace(settings, secret_key="another secret " * 3))
    with transaction():
        session.get_one(Transfer, first).visitor_hash = visitor.hash
    second = press(link, visitor)
    assert find_transfer(transfers.token_of(session.get_one(Transfer, second))).id == second != first


def test_d2_without_a_cookie_address_and_agent_are_the_person(link: int) -> None:
    home = Visitor(address="192.0.2.1", agent="curl/8")
    assert press(link, home) == press(link, home)
    press(link, Visitor(address="192.0.2.1", agent="Wget/1"))
    press(link, Visitor(address="192.0.2.2", agent="curl/8"))
    assert row(link).used == 3


def test_d2_after_the_transfers_life_a_press_counts_again(link: int) -> None:
    first = press(link, "a")
    later = session.get_one(Transfer, first).expires_at
    send(first, 1000)
    assert press(link, "a", at=later) != first
    assert row(link).used == 2


def test_r26_the_fifty_first_person_is_refused_and_the_fiftieth_not(link: int) -> None:
    for number in range(50):
        press(link, f"visitor {number}")
    with pytest.raises(LinkEnded, match="50") as refusal:
        press(link, "one more")
    assert refusal.value.state is LinkState.USED_UP
    assert refusal.value.status == 410
    assert row(link).used == 50
    assert press(link, "visitor 7"), "who has a running transfer may finish"


def test_r26_one_second_before_fourteen_days_is_taken_at_fourteen_days_refused(link: int) -> None:
    end = row(link).created_at + timedelta(days=14)
    press(link, "in time", at=end - SECOND)
    with pytest.raises(LinkEnded) as refusal:
        press(link, "too late", at=end)
    assert refusal.value.state is LinkState.EXPIRED
    assert row(link).used == 1


def test_a_running_transfer_may_finish_after_the_link_ended(link: int) -> None:
    end = row(link).expires_at
    transfer = session.get_one(Transfer, press(link, "a", at=end - SECOND))
    token = transfers.token_of(transfer)
    assert find_transfer(token, at=end + timedelta(hours=1)).id == transfer.id
    with pytest.raises(LinkEnded, match="open until"):
        find_transfer(token, at=transfer.expires_at)


def test_revoking_stops_new_and_running_transfers(world: World, link: int) -> None:
    transfer = session.get_one(Transfer, press(link, "a"))
    token = transfers.token_of(transfer)
    with transaction():
        revoke_link(row(link), by=world.actor("alice"))
    for act in (lambda: find_transfer(token), lambda: press(link, "a"), lambda: press(link, "b")):
        with pytest.raises(LinkEnded) as refusal:
            act()
        assert refusal.value.state is LinkState.REVOKED
    assert row(link).used == 1


def test_a_withdrawn_file_stops_them_too_and_says_why(link: int) -> None:
    press(link, "a")
    with transaction():
        option = session.get_one(DownloadOption, row(link).option_id)
        option.withdrawn_at, option.withdrawn_reason = now(), "A fault in setup"
    with pytest.raises(LinkEnded, match="A fault in setup"):
        press(link, "b")
    assert row(link).used == 1


def test_the_address_of_a_transfer_is_not_in_the_database(link: int) -> None:
    transfer = session.get_one(Transfer, press(link, "a"))
    token = transfers.token_of(transfer)
    assert find_transfer(token).id == transfer.id
    assert token.encode() not in transfer.nonce + transfer.token_hash
    with pytest.raises(NotFound):
        find_transfer("x" * 43)


# ---------------------------------------------------------------- life, direct addresses


@pytest.mark.parametrize(
    ("size", "seconds"), [(0, 7200), (10**6, 7200), (2 * GIB, 8192), (5 * GIB, 20480), (100 * GIB, 86400)]
)
def test_d2_the_life_of_a_transfer_grows_with_its_size(size: int, seconds: int) -> None:
    """At least 2 hours, at most 24."""
    assert life_of(size) == timedelta(seconds=seconds)


def test_a_direct_address_is_counted_when_it_is_made(world: World, link: int) -> None:
    with transaction():
        first = open_direct(row(link), by=world.actor("alice")).id
    with transaction():
        second = open_direct(row(link), by=world.actor("alice")).id
    assert first != second
    assert row(link).used == 2


def test_t6_the_button_for_a_direct_address_pressed_twice_counts_once(world: World, link: int) -> None:
    made = set()
    for _press in range(2):
        with transaction():
            made.add(open_direct(row(link), by=world.actor("alice"), form_token="token-of-one-form").id)
    assert len(made) == 1
    assert row(link).used == 1


@pytest.mark.parametrize("person", ["bob", "helen", "audrey"])
def test_r19_only_an_admin_agent_opens_a_direct_address(world: World, link: int, person: str) -> None:
    with pytest.raises(Forbidden), transaction():
        open_direct(row(link), by=world.actor(person))
    assert row(link).used == 0


# ---------------------------------------------------------------- giving back


def test_d2_the_periodic_job_gives_back_by_itself(link: int) -> None:
    """It is registered with the jobs that come round, and needs no transaction around it."""
    end = session.get_one(Transfer, press(link, "a")).expires_at
    jobs = [each.job for each in periodic.rounds() if "give back" in each.name]
    assert [job(end - SECOND) for job in jobs] == [0]
    assert [job(end) for job in jobs] == [1]
    assert row(link).used == 0


@pytest.mark.parametrize(("sent", "used"), [(0, 0), (9, 0), (10, 1), (1000, 1)])
def test_d2_less_than_one_percent_is_given_back_when_the_life_is_over(link: int, sent: int, used: int) -> None:
    """The file has 1,000 bytes."""
    transfer = press(link, "a")
    send(transfer, sent)
    end = session.get_one(Transfer, transfer).expires_at
    with transaction():
        assert settle_ended(end - SECOND) == 0
    with transaction():
        settle_ended(end)
    assert row(link).used == used
    assert ("given back" in events(link)) == (used == 0)
    with transaction():
        assert settle_ended(end) == 0, "once"
    assert row(link).used == used


def test_d2_an_answer_that_is_still_running_is_not_settled_until_a_day_later(link: int) -> None:
    transfer = press(link, "a")
    send(transfer, 0, running=1)
    end = session.get_one(Transfer, transfer).expires_at
    with transaction():
        assert settle_ended(end) == 0
    with transaction():
        assert settle_ended(end + timedelta(hours=24)) == 1


def test_d2_a_used_up_link_looks_for_what_can_be_given_back(link: int) -> None:
    start = now()
    for number in range(50):
        transfer = press(link, f"visitor {number}", at=start)
        send(transfer, 0 if number == 3 else 1000)
    later = start + timedelta(hours=3)
    press(link, "one more", at=later)
    with pytest.raises(LinkEnded):
        press(link, "and one more", at=later)
    assert row(link).used == 50


# ---------------------------------------------------------------- bytes


def test_d2_bytes_of_many_answers_add_up(link: int) -> None:
    transfer = press(link, "a")
    session.remove()
    log = ByteLog()
    for part in range(8):
        log.began(transfer)
        log.ended(transfer, 100 + part)
    log.began(transfer)
    log.flush()
    found = session.get_one(Transfer, transfer, populate_existing=True)
    assert (found.bytes_sent, found.running) == (828, 1)


def test_d2_a_database_that_refuses_for_a_moment_loses_no_bytes(link: int, monkeypatch: pytest.MonkeyPatch) -> None:
    transfer = press(link, "a")
    session.remove()
    from csp_web.domain.delivery import transfer_bytes

    refusals = iter([True, True])
    write = transfer_bytes._write

    def sometimes(gathered: list[transfer_bytes._Change]) -> None:
        if next(refusals, False):
            raise OSError("busy")
        write(gathered)

    monkeypatch.setattr(transfer_bytes, "_write", sometimes)
    log = ByteLog()
    log.ended(transfer, 7)
    log.flush()
    assert session.get_one(Transfer, transfer, populate_existing=True).bytes_sent == 7
