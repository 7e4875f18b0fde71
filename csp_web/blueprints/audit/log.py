"""The activity log: who did what, and what was refused (B11)."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for

from csp_web.blueprints.audit import blueprint
from csp_web.db import transaction
from csp_web.domain.audit_log import ChainCheck, LogFilter, check_chain, list_entries, record_check, sees_everything
from csp_web.domain.audit_words import OPERATIONS, operation_name, reason, resource_name, told
from csp_web.domain.paging import Page
from csp_web.forms.audit import LogFilterForm
from csp_web.i18n import gettext as _
from csp_web.i18n import ngettext
from csp_web.models import AuditStatus
from csp_web.web.gate import current_actor, needs

FILTERS = ("since", "until", "customer", "person", "operation", "status")


@blueprint.get("/audit")
@needs("audit.see")
def index() -> Any:
    """The log, newest first, with filters."""
    actor = current_actor()
    form = LogFilterForm(request.args, operations=_operations(request.args.get("operation", "")))
    valid = form.validate()
    page = list_entries(actor, _wanted(form), cursor=request.args.get("page")) if valid else Page([], None, None)
    return render_template(
        "audit/index.html",
        form=form,
        page=page,
        narrowed=any(request.args.get(name) for name in FILTERS),
        everything=sees_everything(actor),
        operation_name=operation_name,
        resource_name=resource_name,
        reason=reason,
        told=told,
        previous_url=_address(page.previous),
        next_url=_address(page.next),
    ), 200 if valid else 422


@blueprint.post("/audit/check")
@needs("operator.manage")
def check() -> Any:
    """Prove that no row was changed, removed or put in between."""
    found = check_chain()
    with transaction():
        record_check(found, by=current_actor())
    flash(*_verdict(found))
    return redirect(url_for(".index"), 303)


def _verdict(found: ChainCheck) -> tuple[str, str]:
    if not found.broken:
        text = ngettext("The log is intact: %(num)s row.", "The log is intact: %(num)s rows.", found.rows)
        return text, "success"
    places = ", ".join(map(str, found.broken))
    return _(
        "The log was tampered with. The chain is broken at: %(places)s. Keep a copy and a backup.", places=places
    ), "danger"


def _wanted(form: LogFilterForm) -> LogFilter:
    return LogFilter(
        since=form.since.data,
        until=form.until.data,
        customer=(form.customer.data or "").strip(),
        person=(form.person.data or "").strip(),
        operation=form.operation.data or "",
        status=AuditStatus(form.status.data) if form.status.data else None,
    )


def _operations(asked: str) -> list[tuple[str, str]]:
    """Every known act by its name; one that the address names is offered even if it is unknown."""
    codes = {*OPERATIONS, asked[:60]} - {""}
    return sorted(((code, operation_name(code)) for code in codes), key=lambda pair: pair[1].casefold())


def _address(cursor: str | None) -> str | None:
    """The same filters on another page."""
    if cursor is None:
        return None
    kept = {name: request.args[name] for name in FILTERS if request.args.get(name)}
    return url_for(".index", page=cursor, **kept)  # type: ignore[arg-type]
