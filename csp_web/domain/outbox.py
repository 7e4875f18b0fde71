"""Mails: written in the transaction of the act that they tell of, sent afterwards, never lost and never silent.

A mail that is sent twice (a crash between sending and noting it) carries the same Message-ID, so it is seen once.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_, select

from csp_web.db import for_update, now, session, transaction
from csp_web.domain import audit
from csp_web.domain.access.actors import Actor, require
from csp_web.domain.delivery.link_facts import LinkState, address_of, link_state
from csp_web.domain.paging import Page, page_of
from csp_web.errors import Conflict
from csp_web.i18n import gettext as _
from csp_web.identifiers import clean_text
from csp_web.models import AuditStatus, DownloadLink, OutboxMessage, OutboxState
from csp_web.said import stored
from csp_web.services.mail import Mail, MailDelayed, MailRefused, ServerUnusable, SmtpConnection, SmtpServer

BACK_OFF = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 30, 60, 120, 240))
TRIES = len(BACK_OFF) + 1
LEASE = timedelta(minutes=10)
BATCH = 20
LONGEST_ERROR = 500
_columns = OutboxMessage.__table__.c


# Stands in a mail for the address of its link, which is never stored.
ADDRESS_OF_LINK = "{address of the link}"


def queue_mail(
    *,
    recipient: str,
    subject: str,
    body: str,
    partner_id: int | None = None,
    customer_id: int | None = None,
    link_id: int | None = None,
) -> OutboxMessage:
    """Write a mail that goes out once the act in hand is stored. Texts are already in the recipient's language.

    ``customer_id`` puts it into the customer's timeline, which the partner's people read: never for the operator's mails.
    ``link_id`` is the download link whose address takes the place of ``ADDRESS_OF_LINK`` when the mail goes out.
    """
    message = OutboxMessage(
        message_id=f"<{uuid.uuid4()}@csp-web>",
        partner_id=partner_id,
        customer_id=customer_id,
        link_id=link_id,
        recipient=clean_text(recipient),
        subject=" ".join(clean_text(subject).split())[:200],
        body=clean_text(body),
        next_try_at=now(),
    )
    session.add(message)
    session.flush()
    return message


def work_once(at: datetime, *, server: SmtpServer) -> int:
    """Try to send what is due, at most a batch; returns how many were sent. Several workers share the work."""
    if not _anything_due(at):
        return 0
    mails, sent = _lease(at), 0
    try:
        with server.connection() as connection:
            for done, mail in enumerate(mails):
                try:
                    sent += _send(connection, mail, at)
                except ServerUnusable as error:
                    _failed(mail.message_id, at, str(error), for_good=False)
                    _put_back([each.message_id for each in mails[done + 1 :]])
                    break
    except ServerUnusable as error:
        for mail in mails:
            _failed(mail.message_id, at, str(error), for_good=False)
    return sent


def _anything_due(at: datetime) -> bool:
    """Asked without writing, so that an idle worker holds up nobody."""
    found = session.scalar(select(OutboxMessage.id).where(*_due(at)).limit(1))
    session.rollback()
    return found is not None


def _due(at: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        OutboxMessage.state == OutboxState.WAITING,
        OutboxMessage.next_try_at <= at,
        or_(OutboxMessage.leased_until.is_(None), OutboxMessage.leased_until <= at),
    )


def _lease(at: datetime) -> list[Mail]:
    """Take mails in hand for some minutes; if this process dies, somebody else does them afterwards."""
    with transaction():
        rows = session.scalars(
            select(OutboxMessage)
            .where(*_due(at))
            .order_by(OutboxMessage.next_try_at, OutboxMessage.id)
            .limit(BATCH)
            .with_for_update(skip_locked=True)
        ).all()
        for row in rows:
            row.leased_until = at + LEASE
        return [Mail(row.message_id, row.recipient, row.subject, _text(row, at), row.created_at) for row in rows]


def _text(row: OutboxMessage, at: datetime) -> str:
    """The text of a mail, with the address of its link; empty when the link starts no downloads any more."""
    if row.link_id is None:
        return row.body
    link = session.get_one(DownloadLink, row.link_id)
    address = address_of(link) if link_state(link, at) is LinkState.LIVE else ""
    return row.body.replace(ADDRESS_OF_LINK, address) if address else ""


def _send(connection: SmtpConnection, mail: Mail, at: datetime) -> bool:
    """Send one mail and note what came of it. Raises ServerUnusable: the connection is of no use any more."""
    if not mail.body:
        _failed(mail.message_id, at, _("The link that it was to bring has ended."), for_good=True)
        return False
    try:
        connection.send(mail)
    except ServerUnusable:
        raise
    except (MailRefused, MailDelayed) as error:
        _failed(mail.message_id, at, str(error), for_good=isinstance(error, MailRefused))
        return False
    with transaction():
        row = _row(mail.message_id)
        row.state, row.sent_at, row.leased_until, row.error = OutboxState.SENT, now(), None, ""
        row.tries += 1
    return True


def _failed(message_id: str, at: datetime, error: str, *, for_good: bool) -> None:
    """Note a failure: try again later, or give up and show it to the operator."""
    with transaction():
        row = _row(message_id)
        row.tries += 1
        row.leased_until, row.error = None, stored(error, LONGEST_ERROR)
        if for_good or row.tries >= TRIES:
            row.state = OutboxState.FAILED
            audit.record(
                "mail_failed",
                by=None,
                resource=("mail", row.id),
                partner_id=row.partner_id,
                status=AuditStatus.DECLINED,
                recipient=row.recipient,
                reason=error[:LONGEST_ERROR] if type(error) is str else error,
            )
        else:
            row.next_try_at = at + BACK_OFF[row.tries - 1]


def _put_back(message_ids: Sequence[str]) -> None:
    """Give back what was taken in hand and not tried."""
    if not message_ids:
        return
    with transaction():
        for row in session.scalars(select(OutboxMessage).where(OutboxMessage.message_id.in_(message_ids))):
            row.leased_until = None


def _row(message_id: str) -> OutboxMessage:
    return session.scalars(select(OutboxMessage).filter_by(message_id=message_id).with_for_update()).one()


def retry(message: OutboxMessage, *, by: Actor) -> None:
    """Send a mail that was given up once more, from the start.

    Raises:
        Forbidden: only an operator admin may. Conflict: it has not failed.
    """
    require(by, "operator.manage")
    row = for_update(OutboxMessage, message.id)
    if row.state is not OutboxState.FAILED:
        raise Conflict(_("This mail has not failed, or somebody has already sent it again."))
    row.state, row.tries, row.next_try_at, row.leased_until = OutboxState.WAITING, 0, now(), None
    audit.record("retry_mail", by=by, resource=("mail", row.id), partner_id=row.partner_id, recipient=row.recipient)


def list_mails(*, state: OutboxState | None = None, cursor: str | None = None) -> Page:
    """A page of mails, newest first: id, recipient, subject, state, tries, next_try_at, created_at, sent_at, error."""
    statement = select(
        OutboxMessage.id,
        OutboxMessage.recipient,
        OutboxMessage.subject,
        OutboxMessage.state,
        OutboxMessage.tries,
        OutboxMessage.next_try_at,
        OutboxMessage.created_at,
        OutboxMessage.sent_at,
        OutboxMessage.error,
    )
    if state is not None:
        statement = statement.where(OutboxMessage.state == state)
    return page_of(statement, (_columns.id,), cursor=cursor, descending=True)
