"""A mail to oneself, sent at once by the server that all mails go through, with the server's own words when it refuses."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from csp_web.config import Settings
from csp_web.db import now, session, transaction
from csp_web.domain import audit
from csp_web.domain.access.actors import Actor, require
from csp_web.domain.upkeep import configured
from csp_web.i18n import gettext as _
from csp_web.models import AuditStatus, OutboxMessage, OutboxState
from csp_web.services.mail import Mail, MailDelayed, MailRefused, SmtpServer


@dataclass(frozen=True, slots=True)
class Server:
    """Where mails go, without user and password."""

    host: str
    port: int
    scheme: str
    sender: str


@dataclass(frozen=True, slots=True)
class Result:
    """To whom the mail went; why not, in the server's words; empty: the server took it."""

    recipient: str
    refusal: str = ""


def server() -> Server | None:
    """The mail server of the settings, if there is one."""
    found = _smtp(configured.settings())
    return Server(found.host, found.port, found.scheme, found.sender) if found else None


def send_to(actor: Actor) -> Result:
    """Send the mail, outside of any transaction, and note it among the mails when it went.

    Raises:
        Forbidden: only an operator admin may.
    """
    require(actor, "operator.manage")
    smtp = _smtp(configured.settings())
    if smtp is None:
        return Result(actor.email, _("No mail server is set."))
    mail = _mail(actor)
    session.rollback()  # nothing stays open while the other server thinks
    try:
        with smtp.connection() as connection:
            connection.send(mail)
    except (MailRefused, MailDelayed) as error:
        _note(mail, actor, str(error))
        return Result(actor.email, str(error))
    _note(mail, actor, "")
    return Result(actor.email)


def _smtp(settings: Settings) -> SmtpServer | None:
    return SmtpServer.of(settings.smtp_url, sender=settings.mail_from) if settings.smtp_url else None


def _mail(actor: Actor) -> Mail:
    site = configured.settings().site_name
    return Mail(
        message_id=f"<{uuid.uuid4()}@csp-web>",
        recipient=actor.email,
        subject=_("Test mail from %(site)s", site=site),
        body=_("This mail shows that %(site)s can send mails. There is nothing to do.", site=site) + "\n",
        at=now(),
    )


def _note(mail: Mail, actor: Actor, refusal: str) -> None:
    """Into the log in any case; among the mails only what went: a test that failed needs no second try."""
    with transaction():
        if not refusal:
            row = OutboxMessage(
                message_id=mail.message_id,
                partner_id=actor.partner_id,
                recipient=mail.recipient,
                subject=mail.subject,
                body=mail.body,
                next_try_at=mail.at,
                state=OutboxState.SENT,
                sent_at=mail.at,
                tries=1,
            )
            session.add(row)
        audit.record(
            "test_mail",
            by=actor,
            resource=("user", actor.email),
            status=AuditStatus.DECLINED if refusal else AuditStatus.SUCCEEDED,
            reason=refusal or None,
        )
