"""One support request with its thread, for both sides."""

from __future__ import annotations

from flask import render_template, request

from csp_web.blueprints.tickets import blueprint, uploads
from csp_web.db import now
from csp_web.domain.support.cancellations import why_no_decision
from csp_web.domain.support.problem_types import type_view
from csp_web.domain.support.ticket_page import ticket_page
from csp_web.domain.support.tickets import support_agents, why_no_close, why_no_reply
from csp_web.forms.tickets import DecisionForm, FilesForm, NoteForm, RefusalForm
from csp_web.models import Ticket
from csp_web.web.gate import current_actor, needs


@blueprint.get("/tickets/<string:ticket>")
@needs("tickets.see", "support.work")
def detail(ticket: Ticket) -> str:
    """Facts, thread, files; for support agents also what they do with it."""
    return show(ticket)


def show(
    ticket: Ticket,
    *,
    answer: NoteForm | None = None,
    internal: NoteForm | None = None,
    approval: DecisionForm | None = None,
    refusal: RefusalForm | None = None,
) -> str:
    """The page, with a form that came back with errors in the place where it stands."""
    actor = current_actor()
    answer = answer or NoteForm(prefix="reply-", formdata=None)
    internal = internal or NoteForm(prefix="note-", formdata=None)
    works = actor.may("support.work")
    page = ticket_page(ticket, actor)
    return render_template(
        "tickets/detail.html",
        page=page,
        ticket=ticket,
        kind=type_view(ticket.problem_type),
        at=now(),
        works=works,
        own=ticket.partner_id == actor.partner_id,
        agents=support_agents() if works else [],
        why_no_reply=why_no_reply(ticket, actor),
        why_no_close=why_no_close(ticket, actor, undecided=page.consequences is not None),
        why_no_decision=why_no_decision(page.cancellation) if page.cancellation and works else "",
        answer=answer,
        answer_kept=_kept(answer),
        internal=internal,
        internal_kept=_kept(internal),
        approval=approval or DecisionForm(prefix="approve-", formdata=None),
        refusal=refusal or RefusalForm(prefix="decline-", formdata=None),
        limits=uploads.limits().stated,
    )


def _kept(form: FilesForm) -> list[object]:
    return list(uploads.kept(form, current_actor())) if request.method == "POST" else []
