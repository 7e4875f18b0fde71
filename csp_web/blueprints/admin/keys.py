"""The stock of keys: what is there, who waits, import with a dry run. Nobody sees a key here (D11, D14)."""

from __future__ import annotations

import io
from typing import Any

from flask import flash, redirect, render_template, request, url_for

from csp_web.blueprints.admin import blueprint
from csp_web.db import session, transaction
from csp_web.domain.long_work import jobs
from csp_web.domain.long_work.job_files import incoming
from csp_web.domain.long_work.job_imports import AT_ONCE
from csp_web.domain.stock import vault
from csp_web.domain.stock.key_rotation import outdated
from csp_web.domain.stock.key_sheet import read_key_sheet
from csp_web.domain.stock.key_stock_list import stock_page
from csp_web.domain.stock.keys import KeyImport, import_keys
from csp_web.forms.software import KeyImportForm
from csp_web.i18n import gettext as _
from csp_web.i18n import ngettext
from csp_web.web.gate import current_actor, needs
from csp_web.web.sizes import size_of

SHOWN_ERRORS = 100
LONGEST_SEARCH = 200


@blueprint.get("/admin/keys")
@needs("operator.manage")
def keys() -> str:
    """Pools with counts, and the form to import more."""
    return _page(KeyImportForm())


@blueprint.post("/admin/keys")
@needs("operator.manage")
def import_stock() -> Any:
    """Check a sheet, or import it: all of it or nothing, errors named by line."""
    form = KeyImportForm()
    sheet = _sheet(form) if form.validate() else None
    if sheet is None:
        return _page(form), 422
    if size_of(sheet) > AT_ONCE:
        return _for_later(sheet, form.file.data.filename if form.file.data else "")
    rows = list(read_key_sheet(sheet))  # before the transaction: nobody waits for it
    if request.form.get("act") == "check":
        report = import_keys(rows, by=current_actor(), dry_run=True)
        session.rollback()
        return _page(form, report), 422 if report.errors else 200
    with transaction():
        report = import_keys(rows, by=current_actor())
    if report.errors:
        return _page(form, report), 422
    flash(_imported(report), "success")
    return _page(KeyImportForm(formdata=None), report)


@blueprint.post("/admin/keys/rotation")
@needs("operator.manage")
def rotate_keys() -> Any:
    """Have the keys encrypted with a new secret, while everybody works."""
    with transaction():
        number = jobs.start("rotate_keys", by=current_actor()).id
    return redirect(url_for("jobs.detail", job=number), 303)


def _for_later(sheet: Any, name: str) -> Any:
    """Leave a large sheet to the worker; it waits encrypted (S-4)."""
    only_check = request.form.get("act") == "check"
    with incoming(sheet) as (key, rows), transaction():
        arguments = {"dry_run": only_check}
        actor = current_actor()
        number = jobs.start("import_keys", by=actor, subject=name, arguments=arguments, input_key=key, rows=rows).id
    return redirect(url_for("jobs.detail", job=number), 303)


def _sheet(form: KeyImportForm) -> Any:
    """The file that was sent, else what was pasted; None, with a sentence at the field, when there is neither."""
    if form.file.data:
        return form.file.data.stream
    if pasted := (form.product_keys.data or "").strip():
        return io.BytesIO(pasted.encode("utf-8", "surrogatepass"))
    form.file.errors = [_("Choose a file, or paste the table.")]
    return None


def _imported(report: KeyImport) -> str:
    added = ngettext("%(num)s key was imported.", "%(num)s keys were imported.", report.added)
    if not report.filled:
        return added
    filled = ngettext(
        "%(num)s line that waited got its key.", "%(num)s lines that waited got their keys.", report.filled
    )
    return f"{added} {filled}"


def _page(form: KeyImportForm, report: KeyImport | None = None) -> str:
    text, low = request.args.get("q", "")[:LONGEST_SEARCH].strip(), request.args.get("low") == "1"
    pools = stock_page(text, only_low=low, number=request.args.get("page", 1, type=int))
    asked: dict[str, Any] = {"q": text or None, "low": 1 if low else None}
    return render_template(
        "admin/keys.html",
        form=form,
        report=report,
        pools=pools,
        text=text,
        low=low,
        outdated=outdated(),
        secret_here=vault.secrets_file() is not None,
        why_not_rotate=next(iter(jobs.why_not_start("rotate_keys", by=current_actor())), ""),
        shown_errors=SHOWN_ERRORS,
        previous_url=pools.previous and url_for(".keys", **asked, page=pools.previous),
        next_url=pools.next and url_for(".keys", **asked, page=pools.next),
    )
