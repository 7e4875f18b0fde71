"""Download links: a public address for one file of one subscription, for two weeks or 50 downloads (R24-R29, D2, B2).

The address carries a token of 256 bits that follows from 128 random bits and the installation's secret. Stored are the
random bits and the token's SHA-256: the database alone opens nothing, and **Copy link** can show the address again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from csp_web.db import for_update, now, session
from csp_web.domain import audit, once
from csp_web.domain.access.actors import Actor, require
from csp_web.domain.delivery.link_facts import LINK, LinkState, link_state, token_of
from csp_web.domain.stock import vault
from csp_web.domain.stock.keys import key_for_version
from csp_web.domain.upkeep.configured import settings
from csp_web.errors import Invalid, NotFound, Refused
from csp_web.i18n import format_datetime
from csp_web.i18n import gettext as _
from csp_web.identifiers import clean_text, token_hash
from csp_web.models import (
    DownloadLink,
    DownloadOption,
    Entitlement,
    KeyAssignment,
    KeyWait,
    LinkEvent,
    Subscription,
    Transfer,
    User,
)
from csp_web.said import again, joined, stored

LONGEST_RECIPIENT = 200
SHOWN_LINKS = 100


@dataclass(frozen=True, slots=True)
class Handover:
    """What **Get keys and downloads** gave: a link, and the key of its version or a place in the queue."""

    link: DownloadLink
    key: KeyAssignment | KeyWait | None


def handover_problems(subscription: Subscription, at: datetime) -> list[str]:
    """Why no keys and downloads are handed over for a line, if so (B6)."""
    if subscription.is_cancelled:
        return [_("This subscription was cancelled on %(at)s.", at=format_datetime(subscription.cancelled_at))]
    if at >= subscription.ends_at:
        return [_("The term of this subscription ended on %(at)s.", at=format_datetime(subscription.ends_at))]
    return []


def get_keys_and_downloads(
    subscription: Subscription,
    option: DownloadOption,
    *,
    by: Actor,
    recipient: str = "",
    keep_old: bool = False,
    form_token: str = "",
) -> Handover:
    """Make a new link with a fresh clock and counter, and take the key of its version if the line has none (R24, R27).

    The recipient's older links to the same file die, unless ``keep_old``; those of other recipients live on. With
    ``form_token`` the same form sent twice is one link.

    Raises:
        Forbidden: only an admin agent (R19). NotFound: the file is not one of this subscription's products.
        Refused: the line was cancelled, its term has ended, or the file was withdrawn.
    """
    require(by, "keys.handle")
    subscription = for_update(Subscription, subscription.id)
    entitlement = _entitlement(subscription, option)
    recipient = _recipient(recipient)
    if form_token:
        content = {"subscription": subscription.id, "option": option.id, "recipient": recipient, "keep": keep_old}
        before = once.first_time(form_token, purpose="get_keys_and_downloads", content=content, by=by)
        if before is not None:
            return Handover(session.get_one(DownloadLink, int(before)), _key(entitlement, option, by))
    _refuse(subscription, option)
    if not keep_old:
        _retire(subscription, option, recipient, by)
    link = _make(subscription, option, recipient, by)
    if form_token:
        once.done(form_token, by=by, result=link.id)
    return Handover(link, _key(entitlement, option, by))


def _entitlement(subscription: Subscription, option: DownloadOption) -> Entitlement:
    chosen = select(Entitlement).filter_by(subscription_id=subscription.id, product_id=option.product_id)
    found = session.scalar(chosen.order_by(Entitlement.id).limit(1))
    if found is None:
        raise NotFound
    return found


def _recipient(text: str) -> str:
    tidy = " ".join(clean_text(text).split())
    if len(tidy) > LONGEST_RECIPIENT:
        raise Invalid({"recipient": _("At most %(count)s characters.", count=LONGEST_RECIPIENT)})
    return tidy


def _refuse(subscription: Subscription, option: DownloadOption) -> None:
    problems = handover_problems(subscription, now())
    if option.withdrawn_at is not None:
        problems.append(_("This file was withdrawn: %(reason)s", reason=again(option.withdrawn_reason)))
    if option.is_blocked:
        problems.append(_("A virus scanner found something harmful in this file. It is not handed out."))
    if problems:
        raise Refused(joined(problems))


def _key(entitlement: Entitlement, option: DownloadOption, by: Actor) -> KeyAssignment | KeyWait | None:
    return key_for_version(entitlement, option.version, by=by) if entitlement.product.has_keys else None


def _retire(subscription: Subscription, option: DownloadOption, recipient: str, by: Actor) -> None:
    older = select(DownloadLink).where(
        DownloadLink.subscription_id == subscription.id,
        DownloadLink.option_id == option.id,
        DownloadLink.recipient == recipient,
        DownloadLink.revoked_at.is_(None),
        DownloadLink.expires_at > now(),
    )
    for link in session.scalars(older.order_by(DownloadLink.id)).all():
        _revoke(link, by, _("Replaced by a newer link."))


def _make(subscription: Subscription, option: DownloadOption, recipient: str, by: Actor) -> DownloadLink:
    nonce, at = vault.new_nonce(), now()
    link = DownloadLink(
        partner_id=subscription.partner_id,
        subscription_id=subscription.id,
        option_id=option.id,
        nonce=nonce,
        token_hash=token_hash(vault.token(LINK, nonce)),
        recipient=recipient,
        created_at=at,
        created_by_id=by.id,
        expires_at=at + timedelta(days=settings().link_days),
        max_downloads=settings().link_downloads,
    )
    session.add(link)
    session.flush()
    write_event(link.id, "made", by=by)
    _record("get_software_download_link", link, by, recipient=recipient or None)
    return link


def find_link(token: str) -> DownloadLink:
    """The link of an address that somebody opened. Raises NotFound."""
    link = session.scalar(select(DownloadLink).filter_by(token_hash=token_hash(token)))
    if link is None:
        raise NotFound
    return link


def revoke_link(link: DownloadLink, *, by: Actor, reason: str = "") -> None:
    """End a link at once; its running transfers stop at their next range.

    Raises:
        Forbidden: only an admin agent. Refused: it was revoked before.
    """
    require(by, "keys.handle")
    link = for_update(DownloadLink, link.id)
    if link.revoked_at is not None:
        raise Refused(_("This link was revoked on %(at)s.", at=format_datetime(link.revoked_at)))
    _revoke(link, by, reason or _("Revoked by %(name)s.", name=by.name))


def revoke_links(subscription: Subscription, *, by: Actor, reason: str) -> int:
    """End every link of a subscription that was cancelled (B1). Returns how many; called again, 0."""
    for_update(Subscription, subscription.id)
    alive = select(DownloadLink).filter_by(subscription_id=subscription.id, revoked_at=None)
    links = session.scalars(alive.order_by(DownloadLink.id)).all()
    for link in links:
        _revoke(link, by, reason)
    return len(links)


def _revoke(link: DownloadLink, by: Actor, reason: str) -> None:
    link.revoked_at, link.revoked_by_id, link.revoked_reason = now(), by.id, stored(reason)
    session.flush()
    write_event(link.id, "revoked", by=by)
    _record("revoke_download_link", link, by, reason=reason)


def _record(operation: str, link: DownloadLink, by: Actor, **details: Any) -> None:
    option, subscription = link.option, session.get_one(Subscription, link.subscription_id)
    audit.record(
        operation,
        by=by,
        resource=("subscription", subscription.uuid),
        customer=subscription.customer,
        link=link.id,
        file_name=option.file_name,
        version=option.version,
        **details,
    )


def write_event(
    link: int,
    kind: str,
    *,
    by: Actor | None = None,
    transfer: Transfer | None = None,
    address: str = "",
    agent: str = "",
) -> None:
    """Write down what happened to a link, for the people who made it."""
    session.add(
        LinkEvent(
            link_id=link,
            transfer_id=transfer.id if transfer else None,
            kind=kind,
            address=address[:100],
            agent=agent[:300],
            bytes_sent=transfer.bytes_sent if transfer else 0,
            by_id=by.id if by else None,
        )
    )


def links_of(subscription: Subscription) -> list[DownloadLink]:
    """The links of a line, newest first, with their files."""
    chosen = (
        select(DownloadLink)
        .filter_by(subscription_id=subscription.id)
        .options(joinedload(DownloadLink.option), joinedload(DownloadLink.created_by))
        .order_by(DownloadLink.id.desc())
        .limit(SHOWN_LINKS)
    )
    return list(session.scalars(chosen))


def events_of(links: Sequence[int]) -> dict[int, list[Any]]:
    """The logs of links, newest first: kind, at, address, agent, bytes that went out."""
    found: dict[int, list[Any]] = {link: [] for link in links}
    sent = func.coalesce(Transfer.bytes_sent, LinkEvent.bytes_sent).label("bytes_sent")
    rows = session.execute(
        select(LinkEvent.link_id, LinkEvent.kind, LinkEvent.at, LinkEvent.address, LinkEvent.agent, sent)
        .outerjoin(Transfer, Transfer.id == LinkEvent.transfer_id)
        .where(LinkEvent.link_id.in_(links))
        .order_by(LinkEvent.id.desc())
        .limit(1000)
    )
    for row in rows:
        found[row.link_id].append(row)
    return found


def log_of(link: DownloadLink) -> Sequence[Any]:
    """Everything that happened to a link, oldest first: at, kind, name of who did it, address, agent, bytes_sent."""
    sent = func.coalesce(Transfer.bytes_sent, LinkEvent.bytes_sent).label("bytes_sent")
    return session.execute(
        select(LinkEvent.at, LinkEvent.kind, User.name, LinkEvent.address, LinkEvent.agent, sent)
        .outerjoin(Transfer, Transfer.id == LinkEvent.transfer_id)
        .outerjoin(User, User.id == LinkEvent.by_id)
        .where(LinkEvent.link_id == link.id)
        .order_by(LinkEvent.id)
    ).all()


__all__ = [
    "Handover",
    "LinkState",
    "events_of",
    "find_link",
    "get_keys_and_downloads",
    "handover_problems",
    "link_state",
    "links_of",
    "log_of",
    "revoke_link",
    "revoke_links",
    "token_of",
    "write_event",
]
