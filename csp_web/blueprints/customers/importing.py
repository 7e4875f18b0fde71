"""Customers from a file: checked first, then all of them or none (D10). Large files are work for the worker."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for

from csp_web.blueprints.customers import blueprint
from csp_web.db import session, transaction
from csp_web.domain.companies.customer_import import CustomerImport, check_customers, store_customers
from csp_web.domain.companies.customer_sheet import read_customer_sheet
from csp_web.domain.long_work import jobs
from csp_web.domain.long_work.job_files import incoming
from csp_web.domain.long_work.job_imports import AT_ONCE
from csp_web.forms.imports import CustomerSheetForm
from csp_web.i18n import ngettext
from csp_web.web.gate import current_actor, needs
from csp_web.web.sizes import size_of

SHOWN_ERRORS = 100


@blueprint.route("/customers/import", methods=["GET", "POST"])
@needs("customers.add")
def import_sheet() -> Any:
    """Check a sheet, or import it."""
    form = CustomerSheetForm()
    if request.method == "GET":
        return _page(form)
    if not form.validate():
        return _page(form), 422
    only_check = request.form.get("act") != "import"
    stream = form.sheet.data.stream
    if size_of(stream) > AT_ONCE:
        return _for_later(form, only_check)
    actor = current_actor()
    report = check_customers(read_customer_sheet(stream), by=actor, country=form.country.data or "")
    session.rollback()
    if only_check or report.errors:
        return _page(form, report), 422 if report.errors else 200
    with transaction():
        store_customers(report, by=actor)
    flash(_imported(report), "success")
    return redirect(url_for(".index"), 303)


def _for_later(form: CustomerSheetForm, only_check: bool) -> Any:
    arguments = {"dry_run": only_check, "country": form.country.data or ""}
    with incoming(form.sheet.data.stream) as (key, rows), transaction():
        job = jobs.start(
            "import_customers",
            by=current_actor(),
            subject=form.sheet.data.filename or "",
            arguments=arguments,
            input_key=key,
            rows=rows,
        )
        number = job.id
    return redirect(url_for("jobs.detail", job=number), 303)


def _imported(report: CustomerImport) -> str:
    return ngettext(
        "%(num)s customer was added; %(unchanged)s were there already.",
        "%(num)s customers were added; %(unchanged)s were there already.",
        report.added,
        unchanged=report.unchanged,
    )


def _page(form: CustomerSheetForm, report: CustomerImport | None = None) -> str:
    return render_template("customers/import.html", form=form, report=report, shown_errors=SHOWN_ERRORS)
