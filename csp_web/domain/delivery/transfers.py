"""Transfers: what a press on **Download** opens, counted once, served in as many ranges as it takes (R26, D2, B2).

A transfer is a random address that lives for some hours. Pressing again within its life gives the same one; one that
brought nothing gives its count back once its life has ended.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, or_, select, update

from csp_web.db import for_update, now, session, transaction
from csp_web.domain import audit, once
from csp_web.domain.access.actors import Actor, require
from csp_web.domain.delivery.link_notices import tell_if_nearly_used
from csp_web.domain.delivery.links import LinkState, link_state, write_event
from csp_web.domain.long_work import periodic
from csp_web.domain.stock import vault
from csp_web.errors import DomainError, NotFound
from csp_web.i18n import format_datetime
from csp_web.i18n import gettext as _
from csp_web.identifiers import token_hash
from csp_web.models import DownloadLink, DownloadOption, Scan, Subscription, Transfer
from csp_web.said import again

TRANSFER: Final = "transfer"
SHORTEST, LONGEST = timedelta(hours=2), timedelta(hours=24)
SLOWEST = 256 * 1024  # bytes a second: who is slower gets no more than the longest life
STUCK = timedelta(hours=24)  # answers said to be running this long after a transfer's life were cut off by a crash


STOPPED = frozenset({LinkState.REVOKED, LinkState.WITHDRAWN, LinkState.BLOCKED})  # running transfers stop too


class LinkEnded(DomainError):
    """No download starts from this link any more; ``state`` says why."""

    status = 410

    def __init__(self, state: LinkState, sentence: str, *, advice: str = "") -> None:
        super().__init__(sentence, advice=advice, rule="R26")
        self.state = state


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who presses: a browser with our cookie, else an address and a browser's name."""

    cookie: str = ""
    address: str = ""
    agent: str = ""

    @property
    def hash(self) -> bytes:
        """What is stored of a visitor to know them again."""
        return vault.secret_hash(f"cookie {self.cookie}" if self.cookie else f"from {self.address} {self.agent}")


def life_of(size: int) -> timedelta:
    """How long a transfer of so many bytes lives: by its size, at least 2 and at most 24 hours."""
    return min(max(timedelta(seconds=size / SLOWEST), SHORTEST), LONGEST)


def open_transfer(link: DownloadLink, visitor: Visitor, *, at: datetime | None = None) -> Transfer:
    """Count one download and open its transfer; the same visitor within its life gets the one they have.

    Raises:
        LinkEnded: the link is revoked, withdrawn, expired or used up; nothing was counted.
    """
    at = at or now()
    link = for_update(DownloadLink, link.id)
    running = _running(link, visitor, at)
    if running is not None and link_state(link, at) not in STOPPED:
        return running
    if not _count(link, at) and not (_settle_link(link, at) and _count(link, at)):
        session.refresh(link)
        raise ended(link, at)
    transfer = _open(link, visitor, at)
    write_event(link.id, "counted", transfer=transfer, address=visitor.address, agent=visitor.agent)
    tell_if_nearly_used(link)
    session.flush()
    return transfer


def open_direct(link: DownloadLink, *, by: Actor, form_token: str = "") -> Transfer:
    """Open a transfer in advance, for a script that cannot press a button; it is counted now.

    With ``form_token`` the same form sent twice is one transfer, counted once.

    Raises:
        Forbidden: only an admin agent. LinkEnded: the link starts no downloads any more.
    """
    require(by, "keys.handle")
    if form_token:
        before = once.first_time(form_token, purpose="open_direct_download", content={"link": link.id}, by=by)
        if before is not None:
            return session.get_one(Transfer, int(before))
    transfer = open_transfer(link, Visitor(cookie=f"direct {secrets.token_hex(16)}", address=by.address))
    subscription = session.get_one(Subscription, link.subscription_id)
    audit.record(
        "open_direct_download",
        by=by,
        resource=("subscription", subscription.uuid),
        customer=subscription.customer,
        link=link.id,
        file_name=link.option.file_name,
    )
    if form_token:
        once.done(form_token, by=by, result=transfer.id)
    return transfer


def _running(link: DownloadLink, visitor: Visitor, at: datetime) -> Transfer | None:
    chosen = select(Transfer).where(
        Transfer.link_id == link.id, Transfer.visitor_hash == visitor.hash, Transfer.expires_at > at
    )
    found = session.scalar(chosen.order_by(Transfer.id.desc()).limit(1))
    return found if found is not None and token_hash(token_of(found)) == found.token_hash else None


def _count(link: DownloadLink, at: datetime) -> bool:
    """Count one, in one statement: where no row changes, nothing was counted."""
    counted = (
        update(DownloadLink)
        .where(
            DownloadLink.id == link.id,
            DownloadLink.used < DownloadLink.max_downloads,
            DownloadLink.expires_at > at,
            DownloadLink.revoked_at.is_(None),
            select(DownloadOption.id)
            .where(
                DownloadOption.id == DownloadLink.option_id,
                DownloadOption.withdrawn_at.is_(None),
                DownloadOption.scan != Scan.BLOCKED,
            )
            .exists(),
        )
        .values(used=DownloadLink.used + 1)
        .returning(DownloadLink.used)
        .execution_options(synchronize_session=False)
    )
    return session.scalar(counted) is not None


def _open(link: DownloadLink, visitor: Visitor, at: datetime) -> Transfer:
    nonce = vault.new_nonce()
    transfer = Transfer(
        link_id=link.id,
        nonce=nonce,
        token_hash=token_hash(vault.token(TRANSFER, nonce)),
        visitor_hash=visitor.hash,
        opened_at=at,
        expires_at=at + life_of(link.option.size),
        address=visitor.address[:100],
        agent=visitor.agent[:300],
        bytes_sent=0,
    )
    session.add(transfer)
    session.flush()
    return transfer


def ended(link: DownloadLink, at: datetime) -> LinkEnded:
    """Why a link starts no downloads, and what to do, for the person who opened it: no customer data."""
    state = link_state(link, at)
    sentences = {
        LinkState.REVOKED: _("This link was withdrawn by the company that sent it."),
        LinkState.WITHDRAWN: _(
            "This file is no longer offered: %(reason)s", reason=again(link.option.withdrawn_reason)
        ),
        LinkState.BLOCKED: _("A virus scanner found something harmful in this file. It is not handed out."),
        LinkState.EXPIRED: _("This link ended on %(at)s.", at=format_datetime(link.expires_at)),
    }
    used_up = _("This link was good for %(count)s downloads, and all of them were used.", count=link.max_downloads)
    advice = _("Ask the company that sent you the link for a new one; it takes them a minute and costs nothing.")
    return LinkEnded(state, sentences.get(state, used_up), advice=advice)


def transfer_of(subscription: Subscription, number: int) -> Transfer | None:
    """A transfer of one of a line's links."""
    chosen = select(Transfer).join(DownloadLink).where(Transfer.id == number)
    return session.scalar(chosen.where(DownloadLink.subscription_id == subscription.id))


def token_of(transfer: Transfer) -> str:
    """The token of a transfer's address."""
    return vault.token(TRANSFER, transfer.nonce)


def find_transfer(token: str, *, at: datetime | None = None) -> Transfer:
    """The transfer of an address, if its bytes may be sent now. A transfer may finish after its link has ended.

    Raises:
        NotFound: there is none. LinkEnded: it was revoked, its file withdrawn, or its own life is over.
    """
    at = at or now()
    transfer = session.scalar(select(Transfer).filter_by(token_hash=token_hash(token)))
    if transfer is None:
        raise NotFound
    if link_state(transfer.link, at) in STOPPED:
        raise ended(transfer.link, at)
    if at >= transfer.expires_at:
        raise LinkEnded(
            LinkState.EXPIRED,
            _("This download was open until %(at)s.", at=format_datetime(transfer.expires_at)),
            advice=_("Open the link that you were sent and press Download again."),
        )
    return transfer


# ---------------------------------------------------------------- giving back


def give_back(at: datetime) -> int:
    """The periodic job: settle what has ended, in a transaction of its own; looked for first without writing."""
    some = select(Transfer.id).where(Transfer.expires_at <= at, Transfer.settled_at.is_(None), _quiet(at)).limit(1)
    if session.scalar(some) is None:
        return 0
    with transaction():
        return settle_ended(at)


periodic.register("give back downloads that brought nothing", every=timedelta(minutes=5), job=give_back)


def _quiet(at: datetime) -> ColumnElement[bool]:
    """No answer is being sent, or it says so for so long that the process must have been killed."""
    return or_(Transfer.running <= 0, Transfer.expires_at <= at - STUCK)


def settle_ended(at: datetime, *, limit: int = 500) -> int:
    """Look at transfers whose life is over: one that sent less than 1 % of its file gives its count back.

    Those with answers still running are looked at later, at most a day. Returns how many were given back.
    """
    chosen = select(Transfer).where(Transfer.expires_at <= at, Transfer.settled_at.is_(None))
    transfers = session.scalars(chosen.where(_quiet(at)).order_by(Transfer.expires_at).limit(limit)).all()
    links = {transfer.link_id for transfer in transfers}
    return sum(_settle_link(for_update(DownloadLink, link), at) for link in sorted(links))


def _settle_link(link: DownloadLink, at: datetime) -> int:
    """Settle a link's ended transfers; the caller has locked the link. Returns how many were given back."""
    chosen = select(Transfer).where(
        Transfer.link_id == link.id,
        Transfer.settled_at.is_(None),
        Transfer.expires_at <= at,
        _quiet(at),
    )
    given_back = 0
    for transfer in session.scalars(chosen.execution_options(populate_existing=True)).all():
        transfer.settled_at = at
        if transfer.bytes_sent * 100 < link.option.size:
            transfer.given_back = True
            given_back += 1
            write_event(link.id, "given back", transfer=transfer, address=transfer.address, agent=transfer.agent)
    session.flush()
    if given_back:
        less = update(DownloadLink).where(DownloadLink.id == link.id).values(used=DownloadLink.used - given_back)
        session.execute(less.execution_options(synchronize_session=False))
    return given_back


__all__ = [
    "LinkEnded",
    "Visitor",
    "ended",
    "find_transfer",
    "give_back",
    "life_of",
    "open_direct",
    "open_transfer",
    "settle_ended",
    "token_of",
    "transfer_of",
]
