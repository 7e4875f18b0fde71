"""The operator's catalogue: import of price sheets with a dry run, what was imported, which products there are."""

from __future__ import annotations

from typing import Any, BinaryIO, cast

from flask import flash, redirect, render_template, request, url_for

from csp_web.blueprints.admin import blueprint
from csp_web.db import transaction
from csp_web.domain.long_work import jobs
from csp_web.domain.long_work.job_files import incoming
from csp_web.domain.long_work.job_imports import AT_ONCE
from csp_web.domain.sales.catalogue import FAMILY_NAMES
from csp_web.domain.sales.price_import import ImportReport, import_price_sheet
from csp_web.domain.sales.product_list import latest_imports, list_products
from csp_web.forms.catalogue import PriceSheetForm
from csp_web.i18n import gettext as _
from csp_web.i18n import ngettext
from csp_web.web import htmx
from csp_web.web.gate import current_actor, needs
from csp_web.web.sizes import size_of

LONGEST_SEARCH = 200
SHOWN_ERRORS = 100


@blueprint.get("/admin/catalogue")
@needs("operator.manage")
def catalogue() -> str:
    """Products, imports, and the form to import another sheet."""
    return _page(PriceSheetForm())


@blueprint.post("/admin/catalogue")
@needs("operator.manage")
def import_sheet() -> Any:
    """Check a sheet, or import it: all of it or nothing."""
    form = PriceSheetForm()
    if not form.validate():
        return _page(form), 422
    upload = request.files[form.sheet.name]
    dry_run = request.form.get("act") != "import"
    if size_of(upload.stream) > AT_ONCE:
        return _for_later(upload, dry_run)
    report = import_price_sheet(
        cast(BinaryIO, upload.stream), upload.filename or "", by=current_actor(), dry_run=dry_run
    )
    if dry_run or not report.ok:
        return _page(form, report), 200 if report.ok else 422
    flash(_done(report), "success")
    return redirect(url_for(".catalogue"), 303)


def _for_later(upload: Any, dry_run: bool) -> Any:
    """Leave a large sheet to the worker."""
    name, arguments = upload.filename or "", {"dry_run": dry_run}
    with incoming(upload.stream) as (key, rows), transaction():
        job = jobs.start(
            "import_price_sheet", by=current_actor(), subject=name, arguments=arguments, input_key=key, rows=rows
        )
        number = job.id
    return redirect(url_for("jobs.detail", job=number), 303)


def _done(report: ImportReport) -> str:
    if not report.changes:
        return _("The sheet was imported before: nothing changed.")
    return ngettext(
        "%(num)s row was imported: %(added)s prices added, %(ended)s ended, %(corrected)s corrected.",
        "%(num)s rows were imported: %(added)s prices added, %(ended)s ended, %(corrected)s corrected.",
        report.rows,
        added=report.added,
        ended=report.ended,
        corrected=report.corrected,
    )


def _page(form: PriceSheetForm, report: ImportReport | None = None) -> str:
    text = request.args.get("q", "")[:LONGEST_SEARCH].replace("\0", "").strip()
    page = list_products(text=text, cursor=request.args.get("page"))
    only_list = htmx.wants_fragment() and request.method == "GET"
    return render_template(
        "admin/_catalogue_products.html" if only_list else "admin/catalogue.html",
        form=form,
        report=report,
        shown_errors=SHOWN_ERRORS,
        imports=latest_imports(),
        page=page,
        text=text,
        families={family: _(name) for family, name in FAMILY_NAMES.items()},
        previous_url=page.previous and url_for(".catalogue", q=text or None, page=page.previous),
        next_url=page.next and url_for(".catalogue", q=text or None, page=page.next),
    )
