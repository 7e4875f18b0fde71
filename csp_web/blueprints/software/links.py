"""Download links of a line: made and renewed, revoked, opened in advance for scripts (R24-R28, B2)."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, redirect, render_template, url_for

from csp_web.blueprints.software import blueprint
from csp_web.blueprints.software.page import NOTHING_PICKED, show_software
from csp_web.db import scalar_or_404, select, transaction
from csp_web.domain.delivery.link_facts import EVENTS
from csp_web.domain.delivery.link_mails import Letter, send_link, why_not_send
from csp_web.domain.delivery.links import get_keys_and_downloads, log_of, revoke_link
from csp_web.domain.delivery.software_line import Picked
from csp_web.domain.delivery.transfers import open_direct
from csp_web.domain.long_work.csv_files import pieces
from csp_web.errors import Invalid
from csp_web.forms.software import DirectForm, HandoverForm, LetterForm
from csp_web.i18n import gettext as _
from csp_web.i18n import language, ngettext
from csp_web.models import Customer, DownloadLink, DownloadOption, KeyWait, Subscription
from csp_web.web.gate import current_actor, needs

LINE = "/customers/<uuid:customer>/software/<uuid:subscription>"


@blueprint.post(f"{LINE}/links")
@needs("keys.handle")
def make_link(customer: Customer, subscription: Subscription) -> Any:
    """**Get keys and downloads**: a fresh link, and the key of its version."""
    form = HandoverForm()
    if not form.validate():
        if form.recipient.errors:
            return show_software(customer, subscription, form=form, status=422)
        raise Invalid({}, _("The form is incomplete. Open the page again."))
    with transaction():
        option = scalar_or_404(select(DownloadOption).filter_by(id=form.option.data))
        handover = get_keys_and_downloads(
            subscription,
            option,
            by=current_actor(),
            recipient=form.recipient.data or "",
            keep_old=form.keep_old.data,
            form_token=form.form_token.data or "",
        )
        link, waits = handover.link.id, isinstance(handover.key, KeyWait)
        picked = Picked(option.version, option.language, option.file_type)
    said = ngettext(
        "The link is ready. It is good for %(num)s day.", "The link is ready. It is good for %(num)s days.", _days()
    )
    flash(said, "success")
    if waits:
        flash(_("There is no key in stock. This line waits for one, and the operator was told."), "warning")
    return _back(customer, subscription, picked, link=link)


def _days() -> int:
    from csp_web.domain.upkeep.configured import settings

    return settings().link_days


@blueprint.post(f"{LINE}/links/<int:link>/revocation")
@needs("keys.handle")
def end_link(customer: Customer, subscription: Subscription, link: DownloadLink) -> Any:
    """Revoke one link; the others live on."""
    with transaction():
        revoke_link(link, by=current_actor())
    flash(_("The link is revoked. Nobody can start or continue a download with it."), "success")
    return _back(customer, subscription)


@blueprint.post(f"{LINE}/links/<int:link>/transfers")
@needs("keys.handle")
def open_in_advance(customer: Customer, subscription: Subscription, link: DownloadLink) -> Any:
    """A direct address for scripts; it is counted now."""
    form = DirectForm()
    if not form.validate():
        raise Invalid(form.problems)
    with transaction():
        transfer = open_direct(link, by=current_actor(), form_token=form.form_token.data or "").id
    return _back(customer, subscription, link=link.id, transfer=transfer)


@blueprint.route(f"{LINE}/links/<int:link>/mail", methods=["GET", "POST"])
@needs("keys.handle")
def mail_link(customer: Customer, subscription: Subscription, link: DownloadLink) -> Any:
    """**Send link**: to an address, in the recipient's language."""
    form = LetterForm(data={"email": link.recipient if "@" in link.recipient else "", "language": language()})
    if form.validate_on_submit():
        letter = Letter(form.email.data or "", form.language.data, form.note.data or "")
        try:
            with transaction():
                mail = send_link(link, letter, by=current_actor(), form_token=form.form_token.data or "")
                recipient = mail.recipient
        except Invalid as error:
            form.take(error.problems)
        else:
            flash(_("The mail with the link waits to be sent: %(email)s.", email=recipient), "success")
            return _back(customer, subscription)
    more = {"customer": customer, "line": subscription, "link": link, "form": form, "problem": why_not_send(link)}
    return render_template("software/send_link.html", **more), 422 if form.errors else 200


@blueprint.get(f"{LINE}/links/<int:link>/log.csv")
@needs("software.see")
def log_of_link(customer: Customer, subscription: Subscription, link: DownloadLink) -> Response:
    """Everything that happened to a link, as a table: when, what, who, from where, how much."""
    del customer, subscription
    header = [_("Time (UTC)"), _("What"), _("Who"), _("IP address or recipient"), _("Browser"), _("Bytes sent")]
    kinds = {kind: _(name) for kind, name in EVENTS.items()}
    rows = [
        (row.at, kinds.get(row.kind, row.kind), row.name or "", row.address, row.agent, row.bytes_sent)
        for row in log_of(link)
    ]
    answer = Response(b"".join(pieces(header, rows)), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f"attachment; filename=link-{link.id}.csv"
    return answer


def _back(customer: Customer, subscription: Subscription, picked: Picked = NOTHING_PICKED, **more: int) -> Any:
    chosen = {"version": picked.version, "language": picked.language, "file_type": picked.file_type}
    asked: dict[str, Any] = {name: value for name, value in chosen.items() if value} | more
    anchor = f"line-{subscription.id}"
    address = url_for(".index", customer=customer.uuid, open=subscription.uuid, **asked, _anchor=anchor)
    return redirect(address, 303)
