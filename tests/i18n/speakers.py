"""The world in which everything has happened that pages tell of, done by people who speak another language than the readers."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from sqlalchemy import select, update

from csp_web import i18n
from csp_web.db import now, session, transaction
from csp_web.domain.delivery import link_notices
from csp_web.domain.delivery.link_mails import Letter, send_link
from csp_web.domain.delivery.links import get_keys_and_downloads, revoke_link, token_of
from csp_web.domain.delivery.saved_views import save_view
from csp_web.domain.sales.carts import add_line
from csp_web.domain.stock.key_quarantine import quarantine
from csp_web.domain.stock.key_replacement import replace_key
from csp_web.domain.stock.keys import hand_out_own_version
from csp_web.domain.support.tickets import assign, internal_note, reply
from csp_web.domain.upkeep.installation import install_rules
from csp_web.models import (
    Customer,
    DownloadLink,
    DownloadOption,
    KeyAssignment,
    KeyState,
    Order,
    ProductKey,
    Subscription,
    User,
)
from tests.support import tickets
from tests.support.files import OWN, add_option
from tests.support.site_jobs import add_jobs
from tests.support.site_uploads import add_uploads
from tests.support.stock import bought, pool_of, sku_of, stock
from tests.world import World, make_customer

NAMES_OF_ROLES: Final = {
    "admin agent": "alice",
    "sales agent": "bob",
    "helpdesk agent": "helen",
    "billing admin": "bill",
    "auditor": "audrey",
    "support agent": "sam",
    "operator admin": "olga",
}


def world_of(world: World, language: str) -> dict[str, str]:
    """Fill the world for readers of a language; the names that addresses of tests/support/site.py hold."""
    with transaction():
        session.execute(update(User).values(language=language))
        session.execute(update(Customer).values(language=language))
        nothing = make_customer(world.partners["contoso"], "Nothing bought").uuid
    with i18n.use_place("en" if language == "ru" else "ru"):
        with transaction():
            install_rules()
        tickets.install_types()
        happened = _handed_over(world, language) | _lines(world) | _tickets(world) | _views(world)
        names = {"new": str(nothing), **happened, **add_jobs(), **add_uploads()}
        link_notices.tell_of_ending(now() + timedelta(days=12))
    return {**names, **_people(world)}


def _people(world: World) -> dict[str, str]:
    coho, datum = str(world.customer("coho").uuid), str(world.customer("datum").uuid)
    return {
        **dict.fromkeys(("customer", "reserved", "cancelled_of", "waiting_of"), coho),
        **dict.fromkeys(("buyer", "not_sold"), datum),
        "self": str(world.people["alice"]),
        "colleague": str(world.people["bob"]),
        "partner": str(world.partners["contoso"]),
    }


def _handed_over(world: World, language: str) -> dict[str, str]:
    """A line with keys and links: one sent, one replaced, one revoked; a key replaced, another in quarantine."""
    option = add_option(world).id
    stock(sku_of(world), OWN, 6)
    line = bought(world).id
    old, live, dead = (_link(world, line, option, to) for to in ("", "", "Anna"))
    with transaction():
        alice = world.actor("alice")
        revoke_link(session.get_one(DownloadLink, dead), by=alice)
        letter = Letter("it@customer.example", language)
        send_link(session.get_one(DownloadLink, live), letter, by=alice, form_token=tickets.new_token())
        replace_key(session.scalars(select(KeyAssignment)).one(), by=alice, reason="0xC004F050")
    pool = pool_of(sku_of(world), OWN)
    free = session.scalars(select(ProductKey).filter_by(pool_id=pool.id, state=KeyState.FREE)).all()[-1]
    with transaction():
        quarantine(pool, [free.last_five], by=world.actor("olga"), reason="0xC004F050")
    row, key = session.get_one(Subscription, line), session.scalars(select(KeyAssignment).filter_by(revoked_at=None))
    return {
        "line": str(row.uuid),
        "order": session.get_one(Order, row.order_id).order_id,
        "option": str(option),
        "link": str(live),
        "dead": str(old),
        "token": token_of(session.get_one(DownloadLink, live)),
        "ended": token_of(session.get_one(DownloadLink, dead)),
        "assignment": str(key.one().id),
        "pool": str(pool.id),
        "quarantined": str(free.id),
    }


def _link(world: World, line: int, option: int, recipient: str) -> int:
    with transaction():
        row, file = session.get_one(Subscription, line), session.get_one(DownloadOption, option)
        return get_keys_and_downloads(row, file, by=world.actor("alice"), recipient=recipient).link.id


def _lines(world: World) -> dict[str, str]:
    """A line that waits, a reservation, a full cart, and a line that may not be cancelled any more."""
    waiting = bought(world, "sql-US").id
    with transaction():
        hand_out_own_version(session.get_one(Subscription, waiting), by=world.actor("alice"))
    bought(world, "reservation-US")
    with transaction():
        for offer in ("windows-RU", "sql-RU"):
            add_line(world.customer("datum"), world.offer(offer), 2, by=world.actor("alice"), token=tickets.new_token())
    late = tickets.line_of(world)
    return {"waiting": _guid(waiting), "late": _guid(late)}


def _tickets(world: World) -> dict[str, str]:
    """A cancellation asked for, one that was approved, and a request with answers."""
    at = now()
    asked, approved = tickets.line_of(world, at=at), tickets.line_of(world, at=at)
    refund = tickets.file_refund(world, asked, at=at).number
    _link(world, approved, session.scalars(select(DownloadOption.id)).one(), "")
    tickets.approve_ticket(world, tickets.file_refund(world, approved, at=at), by="sam", note="OK")
    other = tickets.file_ticket(world, tickets.other_details(title="0xC004F050"), by="bob", at=at)
    with transaction():
        reply(other, "1", by=world.actor("sam"), token=tickets.new_token(), at=at)
        internal_note(other, "2", by=world.actor("sam"), token=tickets.new_token(), at=at)
        assign(other, world.people["sam"], by=world.actor("sam"), at=at)
    return {"refund": refund, "cancelled": _guid(approved), "ticket": other.number}


def _views(world: World) -> dict[str, str]:
    """A view that is shared, and one that is not."""
    with transaction():
        save_view("2", "family=sql_server", by=world.actor("bob"))
        return {"view": str(save_view("1", "deadline=7", by=world.actor("alice"), shared=True).id)}


def _guid(line: int) -> str:
    return str(session.get_one(Subscription, line).uuid)
