"""**Send link**: the address of a link by mail, in the recipient's language (R29, B2).

The mail in the outbox has a mark where the address will be. It is put in when the mail goes out, so the database alone
opens nothing, and a link that ended meanwhile is not sent.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from csp_web.db import for_update, now, session
from csp_web.domain import audit, once
from csp_web.domain.access.actors import Actor, require
from csp_web.domain.access.people import normalize_email
from csp_web.domain.daily_limits import begins_anew, count_one
from csp_web.domain.delivery.link_facts import LinkState, link_state, token_of
from csp_web.domain.delivery.links import write_event
from csp_web.domain.outbox import ADDRESS_OF_LINK, queue_mail
from csp_web.domain.upkeep.configured import settings
from csp_web.errors import Invalid, Refused
from csp_web.i18n import LANGUAGES, format_datetime, format_size, ngettext, use_place
from csp_web.i18n import gettext as _
from csp_web.identifiers import clean_text
from csp_web.models import DownloadLink, LinkEvent, LinkMailings, OutboxMessage, Subscription

LONGEST_NOTE = 1000
SENT = "sent"  # in the log of the link


@dataclass(frozen=True, slots=True)
class Letter:
    """To whom a link goes, in which language, and what else the sender says."""

    email: str
    language: str
    note: str = ""


def why_not_send(link: DownloadLink) -> str:
    """Why a link cannot be sent; empty when it can (B6)."""
    if link_state(link, now()) is not LinkState.LIVE:
        return _("This link starts no downloads any more. Make a new one.")
    if not token_of(link):
        return _("The secret of the server was changed, so the address of this link is not known any more.")
    if _times_sent(link) >= link.max_downloads:
        return _("This link was sent as often as it can be downloaded. Make a new one.")
    return ""


def _times_sent(link: DownloadLink) -> int:
    """Mails cost whoever runs the server its good name: a link brings no more of them than downloads."""
    sent = select(func.count()).where(LinkEvent.link_id == link.id, LinkEvent.kind == SENT)
    return session.scalar(sent) or 0


def send_link(link: DownloadLink, letter: Letter, *, by: Actor, form_token: str) -> OutboxMessage:
    """Mail a link to somebody. The same form sent twice is one mail.

    Raises:
        Forbidden: only an admin agent hands links out (R19). Invalid: address, language or note do not fit.
        Refused: the link starts no downloads any more, or was sent as often as it can be downloaded.
    """
    require(by, "keys.handle")
    link = for_update(DownloadLink, link.id)
    letter = _checked(letter)
    content = {"link": link.id, "email": letter.email, "language": letter.language, "note": letter.note}
    before = once.first_time(form_token, purpose="send_link", content=content, by=by)
    if before is not None:
        return session.get_one(OutboxMessage, int(before))
    if problem := why_not_send(link):
        raise Refused(problem)
    _count(by)
    subscription = session.get_one(Subscription, link.subscription_id)
    with use_place(letter.language, "UTC"):
        mail = queue_mail(
            recipient=letter.email,
            subject=_("Download: %(product)s", product=subscription.product_title),
            body=_body(link, subscription, letter, by),
            partner_id=link.partner_id,
            customer_id=subscription.customer_id,
            link_id=link.id,
        )
    write_event(link.id, SENT, by=by, address=letter.email)
    audit.record(
        "send_download_link",
        by=by,
        resource=("subscription", subscription.uuid),
        customer=subscription.customer,
        link=link.id,
        recipient=letter.email,
        file_name=link.option.file_name,
    )
    once.done(form_token, by=by, result=mail.id)
    return mail


def _count(by: Actor) -> None:
    """Count one against the person's day: a stolen session sends no flood in the company's name."""
    quota = settings().link_mail_quota
    if count_one(LinkMailings, by=by, limit=quota):
        return
    sent = ngettext("You have sent %(num)s link by mail today.", "You have sent %(num)s links by mail today.", quota)
    again = _("More can be sent from %(at)s.", at=format_datetime(begins_anew()))
    raise Refused(f"{sent} {again}", advice=_("Copy the link instead, or let a colleague send it."), rule="B2")


def _checked(letter: Letter) -> Letter:
    email, note, problems = letter.email, clean_text(letter.note), {}
    try:
        email = normalize_email(letter.email)
    except ValueError as error:
        problems["email"] = str(error)
    if letter.language not in LANGUAGES:
        problems["language"] = _("Choose a language.")
    if len(note) > LONGEST_NOTE:
        problems["note"] = _("At most %(count)s characters.", count=LONGEST_NOTE)
    if problems:
        raise Invalid(problems)
    return Letter(email, letter.language, note)


def _body(link: DownloadLink, subscription: Subscription, letter: Letter, by: Actor) -> str:
    option, left = link.option, link.max_downloads - link.used
    what = [
        subscription.product_title,
        f"{option.version}, {option.language}, {option.file_type}",
        f"{option.file_name}, {format_size(option.size)}",
    ]
    until = _("The link works until %(date)s (UTC).", date=format_datetime(link.expires_at))
    times = ngettext("It is good for %(num)s download.", "It is good for %(num)s downloads.", left)
    how = _("Open it and press Download. A download that is cut off can be resumed.")
    paragraphs = [
        _("%(name)s of %(company)s sends you a link to this software:", name=by.name, company=by.partner_name),
        "\n".join(what),
        letter.note,
        ADDRESS_OF_LINK,
        f"{how} {until} {times}",
        _("SHA-256 of the file: %(sum)s", sum=option.sha256),
        _("Questions? Write to %(email)s.", email=by.email),
    ]
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)
