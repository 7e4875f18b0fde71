"""Download links: two weeks or 50 downloads, renewed, one per recipient, revocable (R24-R28, B2, P21, P22)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from csp_web.config import Settings
from csp_web.db import now, session, transaction
from csp_web.domain.delivery import links
from csp_web.domain.delivery.links import (
    Handover,
    LinkState,
    get_keys_and_downloads,
    link_state,
    revoke_link,
    revoke_links,
)
from csp_web.domain.upkeep import configured
from csp_web.errors import Conflict, Forbidden, NotFound, Refused
from csp_web.identifiers import token_hash
from csp_web.models import (
    AuditEntry,
    DownloadLink,
    DownloadOption,
    KeyAssignment,
    KeyWait,
    LinkEvent,
    Subscription,
    SubscriptionStatus,
)
from tests.support.files import OLDER, OWN, add_option
from tests.support.stock import bought, sku_of, stock
from tests.world import World

SECOND = timedelta(seconds=1)


def get(
    world: World, subscription: Subscription, option: DownloadOption, by: str = "alice", **more: object
) -> Handover:
    with transaction():
        return get_keys_and_downloads(
            session.get_one(Subscription, subscription.id),
            session.get_one(DownloadOption, option.id),
            by=world.actor(by),
            **more,  # type: ignore[arg-type]
        )


def alive() -> list[int]:
    found = session.scalars(select(DownloadLink).order_by(DownloadLink.id)).all()
    return [link.id for link in found if link_state(link, now()) is LinkState.LIVE]


def test_r24_r26_a_new_link_has_two_weeks_and_fifty_downloads(world: World) -> None:
    link = get(world, bought(world), add_option(world)).link
    assert link.expires_at - link.created_at == timedelta(days=14)
    assert (link.used, link.max_downloads) == (0, 50)


def test_r26_the_two_weeks_are_half_open(world: World) -> None:
    link = get(world, bought(world), add_option(world)).link
    assert link_state(link, link.created_at + timedelta(days=14) - SECOND) is LinkState.LIVE
    assert link_state(link, link.created_at + timedelta(days=14)) is LinkState.EXPIRED


def test_r24_the_key_of_the_version_comes_with_it(world: World) -> None:
    stock(sku_of(world), OLDER, 1)
    key = get(world, bought(world), add_option(world, version=OLDER)).key
    assert isinstance(key, KeyAssignment)
    assert key.version == OLDER


def test_d12_without_stock_the_link_is_made_and_the_line_waits(world: World) -> None:
    handover = get(world, bought(world), add_option(world))
    assert isinstance(handover.key, KeyWait)
    assert alive() == [handover.link.id]


def test_r27_again_is_a_fresh_link_and_the_old_one_is_dead(world: World) -> None:
    subscription, option = bought(world), add_option(world)
    first = get(world, subscription, option).link
    second = get(world, subscription, option).link
    assert links.token_of(first) != links.token_of(second)
    assert alive() == [second.id]


def test_r27_a_tick_keeps_the_old_one(world: World) -> None:
    subscription, option = bought(world), add_option(world)
    kept = get(world, subscription, option).link
    assert alive() == [kept.id]
    both = [kept.id, get(world, subscription, option, keep_old=True).link.id]
    assert alive() == both


def test_r28_as_often_as_needed(world: World) -> None:
    subscription, option = bought(world), add_option(world)
    made = {get(world, subscription, option).link.id for _time in range(20)}
    assert len(made) == 20


def test_p22_every_recipient_has_a_link_with_a_clock_of_its_own(world: World) -> None:
    subscription, option = bought(world), add_option(world)
    own = get(world, subscription, option).link.id
    anna = get(world, subscription, option, recipient="anna@coho.example").link.id
    renewed = get(world, subscription, option, recipient="  anna@coho.example ").link.id
    assert alive() == [own, renewed]
    assert anna not in alive()


def test_the_token_is_not_in_the_database_and_can_be_shown_again(world: World) -> None:
    link = get(world, bought(world), add_option(world)).link
    token = links.token_of(link)
    assert link.token_hash == token_hash(token)
    assert links.find_link(token).id == link.id
    assert token.encode() not in link.nonce
    with pytest.raises(NotFound):
        links.find_link(token[:-1])


def test_after_the_secret_was_changed_a_link_works_and_its_address_is_not_shown(
    world: World, settings: Settings
) -> None:
    link = get(world, bought(world), add_option(world)).link
    token = links.token_of(link)
    configured.configure(replace(settings, secret_key="another secret " * 3))
    assert links.token_of(link) == ""
    assert links.find_link(token).id == link.id


def test_the_same_form_sent_twice_is_one_link(world: World) -> None:
    subscription, option = bought(world), add_option(world)
    first = get(world, subscription, option, form_token="a" * 20).link.id
    assert get(world, subscription, option, form_token="a" * 20).link.id == first
    with pytest.raises(Conflict):
        get(world, subscription, option, form_token="a" * 20, recipient="other")
    assert session.scalar(select(func.count()).select_from(DownloadLink)) == 1


@pytest.mark.parametrize("person", ["bob", "helen", "bill", "audrey", "sam", "olga"])
def test_r19_only_an_admin_agent_gets_downloads(world: World, person: str) -> None:
    with pytest.raises(Forbidden):
        get(world, bought(world), add_option(world), by=person)
    assert alive() == []


def test_files_of_another_product_are_not_found(world: World) -> None:
    with pytest.raises(NotFound):
        get(world, bought(world, "sql-US"), add_option(world))


def test_b6_a_cancelled_line_says_since_when(world: World) -> None:
    subscription, option = bought(world), add_option(world)
    with transaction():
        row = session.get_one(Subscription, subscription.id)
        row.status, row.cancelled_at = SubscriptionStatus.CANCELLED, now()
    with pytest.raises(Refused, match="cancelled on"):
        get(world, subscription, option)


def test_b6_a_term_that_has_ended_says_since_when(world: World) -> None:
    subscription, option = bought(world), add_option(world)
    with transaction():
        session.get_one(Subscription, subscription.id).ends_at = now()
    with pytest.raises(Refused, match="term of this subscription ended"):
        get(world, subscription, option)


def test_b6_a_withdrawn_file_says_why(world: World) -> None:
    subscription, option = bought(world), add_option(world)
    with transaction():
        row = session.get_one(DownloadOption, option.id)
        row.withdrawn_at, row.withdrawn_reason = now(), "A fault in setup"
    with pytest.raises(Refused, match="A fault in setup"):
        get(world, subscription, option)


def test_b2_a_revoked_link_is_dead_at_once_and_only_once_revoked(world: World) -> None:
    link = get(world, bought(world), add_option(world)).link.id
    with transaction():
        revoke_link(session.get_one(DownloadLink, link), by=world.actor("alice"), reason="sent to the wrong person")
    assert alive() == []
    with pytest.raises(Refused), transaction():
        revoke_link(session.get_one(DownloadLink, link), by=world.actor("alice"))


def test_b1_all_links_of_a_line_die_together_and_of_no_other(world: World) -> None:
    option = add_option(world)
    subscription, other = bought(world), bought(world)
    for recipient in ("", "anna", "ben"):
        get(world, subscription, option, recipient=recipient)
    kept = get(world, other, option).link.id
    with transaction():
        assert revoke_links(subscription, by=world.actor("sam"), reason="cancelled") == 3
    with transaction():
        assert revoke_links(subscription, by=world.actor("sam"), reason="cancelled") == 0
    assert alive() == [kept]


def test_b11_every_act_is_in_the_log_without_the_token(world: World) -> None:
    subscription, option = bought(world), add_option(world, version=OWN)
    first = get(world, subscription, option).link
    token = links.token_of(first)
    get(world, subscription, option)
    entries = session.scalars(select(AuditEntry).order_by(AuditEntry.seq)).all()
    link_acts = [entry.operation for entry in entries if "link" in entry.operation]
    assert link_acts == ["get_software_download_link", "revoke_download_link", "get_software_download_link"]
    assert all(token not in str(entry.details) for entry in entries)
    events = session.scalars(select(LinkEvent.kind).order_by(LinkEvent.id)).all()
    assert events == ["made", "revoked", "made"]
