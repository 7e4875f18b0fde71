"""Whoever made a link is told before it ends: at 80 % of its downloads, and three days before its last day (R26, B2)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from csp_web.db import now, session, transaction
from csp_web.domain.long_work import periodic
from csp_web.domain.outbox import queue_mail
from csp_web.domain.upkeep.configured import settings
from csp_web.i18n import format_datetime, ngettext, use_place
from csp_web.i18n import gettext as _
from csp_web.models import DownloadLink, Role, Subscription, User, UserRole

PER_CENT: Final = 80
BEFORE: Final = timedelta(days=3)
BATCH: Final = 200


def tell_if_nearly_used(link: DownloadLink) -> None:
    """Tell once, when a download was counted and most are used now. The caller holds the link."""
    session.refresh(link, ["used"])
    if link.used_notice_at is not None or link.used * 100 < link.max_downloads * PER_CENT:
        return
    link.used_notice_at = now()
    for person in _readers(link):
        with use_place(person.language, person.time_zone):
            left = link.max_downloads - link.used
            _send(
                person,
                ngettext("%(num)s download left of a link", "%(num)s downloads left of a link", left),
                [link],
            )


def tell_of_ending(at: datetime) -> int:
    """The periodic job: tell of all links that end in the next three days. Returns how many links.

    A person gets one mail of all in a batch. A link that was made for less than that is not told of: its maker knows.
    """
    looked_at = 0
    while session.scalar(_ending(at).with_only_columns(DownloadLink.id).limit(1)) is not None:
        with transaction():
            looked_at += _tell_of_some(at)
    return looked_at


def _tell_of_some(at: datetime) -> int:
    links = session.scalars(
        _ending(at).options(joinedload(DownloadLink.option)).limit(BATCH).with_for_update(of=DownloadLink)
    ).all()
    told: dict[int, list[DownloadLink]] = defaultdict(list)
    people: dict[int, User] = {}
    for link in links:
        link.end_notice_at = at
        if link.expires_at - link.created_at > BEFORE and link.used < link.max_downloads:
            for person in _readers(link):
                people[person.id] = person
                told[person.id].append(link)
    for number, theirs in told.items():
        person = people[number]
        with use_place(person.language, person.time_zone):
            _send(person, ngettext("%(num)s link ends soon", "%(num)s links end soon", len(theirs)), theirs)
    return len(links)


periodic.register("tell of links that end soon", every=timedelta(minutes=30), job=tell_of_ending)


def _ending(at: datetime) -> Select[DownloadLink]:
    return (
        select(DownloadLink)
        .where(
            DownloadLink.end_notice_at.is_(None),
            DownloadLink.revoked_at.is_(None),
            DownloadLink.expires_at > at,
            DownloadLink.expires_at <= at + BEFORE,
        )
        .order_by(DownloadLink.expires_at)
    )


def _readers(link: DownloadLink) -> Sequence[User]:
    """Who made the link; when that person has left, the partner's admin agents."""
    if link.created_by.disabled_at is None:
        return [link.created_by]
    agents = select(User).join(UserRole, UserRole.user_id == User.id).where(User.partner_id == link.partner_id)
    chosen = agents.where(UserRole.role == Role.ADMIN_AGENT, User.disabled_at.is_(None))
    return session.scalars(chosen.order_by(User.id)).all()


def _send(person: User, subject: str, links: Sequence[DownloadLink]) -> None:
    advice = _("Get keys and downloads again gives a new link with fresh days and downloads.")
    body = "\n\n".join([*(_told(link) for link in links), advice])
    queue_mail(recipient=person.email, subject=subject, body=body, partner_id=person.partner_id)


def _told(link: DownloadLink) -> str:
    line = session.get_one(Subscription, link.subscription_id)
    customer, left = line.customer, link.max_downloads - link.used
    return "\n".join(
        [
            f"{customer.company_name}: {line.product_title}",
            f"{link.option.file_name}{f', {link.recipient}' if link.recipient else ''}",
            _("Ends on %(at)s.", at=format_datetime(link.expires_at)),
            ngettext("%(num)s download left", "%(num)s downloads left", left),
            f"{settings().public_url}/customers/{customer.uuid}/software?open={line.uuid}",
        ]
    )
