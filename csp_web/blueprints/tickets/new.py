"""**Report a problem**: the form, with everything known filled in when **Cancel** leads here (R37-R43)."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for

from csp_web.blueprints.tickets import blueprint, uploads
from csp_web.db import now, transaction
from csp_web.domain import audit
from csp_web.domain.access.actors import Actor, find, refusal, require
from csp_web.domain.support.cancellations import CancellationTerms, cancellation_terms, refund_due
from csp_web.domain.support.problem_types import REFUND, types_of_problem
from csp_web.domain.support.ticket_facts import lines_of_order, written_description
from csp_web.domain.support.tickets import TicketDetails, open_ticket
from csp_web.errors import Invalid, NotFound, Refused
from csp_web.forms.tickets import TITLE, TicketForm
from csp_web.i18n import format_money
from csp_web.i18n import gettext as _
from csp_web.identifiers import parse_guid
from csp_web.models import Customer, Impact, Subscription
from csp_web.money import plain
from csp_web.web import htmx
from csp_web.web.gate import current_actor, needs


@blueprint.get("/tickets/new")
@needs("tickets.open")
def new() -> str:
    """The empty form, or the one for cancelling ``?subscription=``, or about ``?customer=``."""
    actor = current_actor()
    line = _line_to_cancel(actor)
    known = _from_line(line) if line else _from_customer(actor)
    contact = {"contact_name": actor.name, "contact_email": actor.email, "contact_phone": actor.phone}
    form = TicketForm(types_of_problem(), data={**contact, **known})
    return _page(form, line)


@blueprint.post("/tickets/new")
@needs("tickets.open")
def create() -> Any:
    """File the request; ``step=fields`` only shows the fields of the type that was chosen."""
    actor, asked_at = current_actor(), now()  # it decides, however long the writers' queue is (D1)
    line = _line_to_cancel(actor)
    form = TicketForm(types_of_problem())
    if request.form.get("step") == "fields":
        uploads.take(form, actor)
        return _page(form, line, fragment=htmx.wants_fragment())
    fits = form.validate()
    if not uploads.take(form, actor) or not fits:
        return _page(form, line), 422
    try:
        with transaction():
            token = form.form_token.data or ""
            number = open_ticket(_details(form), by=actor, token=token, at=asked_at).number
    except Invalid as error:
        form.take(error.problems)
        return _page(form, line), 422
    except Refused as error:
        _note_refusal(error, actor, form)
        form.form_errors.append(error.sentence)
        return _page(form, line), error.status
    flash(_("The request was filed. Its number is %(number)s.", number=number), "success")
    return redirect(url_for(".detail", ticket=number), 303)


def _line_to_cancel(actor: Actor) -> Subscription | None:
    """The subscription that **Cancel** names; only admin agents come here that way (R31)."""
    text = request.args.get("subscription")
    if text is None:
        return None
    guid = parse_guid(text)
    if guid is None:
        raise NotFound
    line = find(Subscription, actor, uuid=guid)
    require(actor, "subscriptions.cancel")
    return line


def _from_line(line: Subscription) -> dict[str, Any]:
    """The four facts as far as they are known (R35), and words made of them."""
    customer, due = line.customer, refund_due(line, now())
    text = written_description(customer, line, reason="", amount=due, order_id=line.order.order_id)
    title = _("Refund: %(product)s for %(customer)s", product=line.product_title, customer=customer.company_name)
    return {
        "problem_type": REFUND,
        "title": title[:TITLE],
        "customer": customer.domain,
        "order_or_subscription": str(line.uuid),
        "amount": plain(due, line.currency),
        "description": text,
        "prefilled": text,
    }


def _from_customer(actor: Actor) -> dict[str, Any]:
    usual = REFUND if actor.may("subscriptions.cancel") else ""  # what the form is there for first of all (R38)
    known: dict[str, Any] = {"problem_type": request.args.get("type", usual)}
    text = request.args.get("customer")
    if text is not None:
        guid = parse_guid(text)
        if guid is None:
            raise NotFound
        known["customer"] = find(Customer, actor, uuid=guid).domain
    return known


def _details(form: TicketForm) -> TicketDetails:
    return TicketDetails(
        type_code=form.problem_type.data,
        impact=Impact(form.impact.data),
        title=form.title.data or "",
        description=form.description.data or "",
        contact_name=form.contact_name.data or "",
        contact_email=form.contact_email.data or "",
        contact_phone=form.contact_phone.data or "",
        facts=form.facts,
        line=form.line.data or "",
        prefilled=form.prefilled.data or "",
    )


def _note_refusal(error: Refused, actor: Actor, form: TicketForm) -> None:
    with transaction():
        audit.declined(
            "request_cancellation",
            by=actor,
            resource=("subscription", (form.order_or_subscription.data or "")[:60]),
            reason=error.sentence,
            rule=error.rule,
        )


def _page(form: TicketForm, line: Subscription | None, *, fragment: bool = False) -> str:
    actor, chosen = current_actor(), form.chosen
    terms = cancellation_terms(line, now()) if line else None
    template = "tickets/_fields_answer.html" if fragment else "tickets/new.html"
    _offer_lines(form, actor)
    return render_template(
        template,
        form=form,
        line=line,
        terms=terms,
        about=_about_amount(line),
        why_not=_why_not(actor, terms, refund=bool(chosen and chosen.is_refund)),
        kept=uploads.kept(form, actor),
        limits=uploads.limits().stated,
        here=request.full_path.rstrip("?"),
    )


def _why_not(actor: Actor, terms: CancellationTerms | None, *, refund: bool) -> str:
    """Why the form cannot be sent as it stands: the role, or the window (B6)."""
    if not refund:
        return ""
    return refusal(actor, "subscriptions.cancel") or (terms.reason if terms and not terms.may else "")


def _about_amount(line: Subscription | None) -> str:
    if line is None:
        return _("In the currency of the order.")
    due = format_money(refund_due(line, now()), line.currency)
    return _("In %(currency)s. At most %(most)s can be refunded.", currency=line.currency, most=due)


def _offer_lines(form: TicketForm, actor: Actor) -> None:
    """Let the person choose when the order that was typed has several lines."""
    typed = form.order_or_subscription.data or ""
    form.offer_lines((str(each.uuid), _line_text(each)) for each in (lines_of_order(typed, actor) if typed else ()))


def _line_text(line: Subscription) -> str:
    paid = format_money(line.total, line.currency)
    return f"{line.product_title} · {line.sku_title} × {line.quantity} · {paid}"
