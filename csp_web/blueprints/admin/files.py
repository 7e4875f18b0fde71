"""Installer files: listed, taken in with one request, withdrawn (R22, D14). Scripts send them in pieces: files_uploads."""

from __future__ import annotations

from typing import Any

from flask import current_app, flash, redirect, render_template, request, url_for

from csp_web.blueprints.admin import blueprint
from csp_web.db import scalar_or_404, select, session, transaction
from csp_web.domain.delivery.download_options import (
    OptionFacts,
    add_file,
    expected_sum,
    incoming,
    products_with_files,
    withdraw_file,
)
from csp_web.domain.delivery.file_list import list_files
from csp_web.domain.delivery.scanning import scan_again
from csp_web.domain.delivery.signatures import Signature, read_signature
from csp_web.domain.delivery.upload_list import unfinished_uploads
from csp_web.domain.delivery.uploads import shortage
from csp_web.errors import Conflict, Invalid
from csp_web.forms.software import FileForm, WithdrawalForm
from csp_web.i18n import gettext as _
from csp_web.models import DownloadOption, Product
from csp_web.web.gate import current_actor, needs

MIB = 1024 * 1024


@blueprint.get("/admin/files")
@needs("operator.manage")
def files() -> str:
    """Files that are offered, newest first; with ``?withdrawn=1`` the withdrawn ones too."""
    withdrawn = request.args.get("withdrawn") == "1"
    page = list_files(withdrawn=withdrawn, cursor=request.args.get("page"))
    more: dict[str, Any] = {"withdrawn": 1} if withdrawn else {}
    unfinished = unfinished_uploads()
    return render_template(
        "admin/files.html",
        page=page,
        unfinished=unfinished,
        shortage=shortage() if unfinished else "",
        withdrawn=withdrawn,
        previous_url=page.previous and url_for(".files", **more, page=page.previous),
        next_url=page.next and url_for(".files", **more, page=page.next),
    )


@blueprint.route("/admin/files/new", methods=["GET", "POST"])
@needs("operator.manage")
def new_file() -> Any:
    """Take in a file."""
    form = FileForm(products_with_files())
    if form.validate_on_submit():
        try:
            name = _take_in(form)
        except Invalid as error:
            form.take(error.problems)
        except Conflict as error:
            form.form_errors.append(f"{error.sentence} {error.advice}")
        else:
            flash(_("%(name)s is offered now.", name=name), "success")
            return redirect(url_for(".files"), 303)
    return file_form_page(form, 422 if form.errors or form.form_errors else 200)


def file_form_page(form: FileForm, status: int) -> tuple[str, int]:
    """The form, with what is wrong with it."""
    most = (current_app.config["MAX_CONTENT_LENGTH"] or 0) // MIB
    page = render_template("admin/files_new.html", form=form, most=most, unfinished=unfinished_uploads())
    return page, status


def _take_in(form: FileForm) -> str:
    upload = form.file.data
    if not upload:
        raise Invalid({"file": _("Choose a file.")})
    facts = OptionFacts(form.version.data or "", form.language.data or "", form.file_type.data or "", upload.filename)
    expected, signature = expected_sum(form.sha256.data or ""), signature_in(form)
    with incoming(upload.stream) as stored, transaction():
        product = session.get_one(Product, form.product.data)
        option = add_file(
            product,
            facts,
            stored=stored,
            by=current_actor(),
            replace=form.replace.data,
            signature=signature,
            expected=expected,
        )
        return option.file_name


def signature_in(form: FileForm) -> Signature | None:
    """The signature that came with a form, if one did. Raises Invalid."""
    beside = form.signature.data
    return read_signature(beside.filename, beside.stream) if beside else None


@blueprint.route("/admin/files/<int:option>/withdrawal", methods=["GET", "POST"])
@needs("operator.manage")
def withdraw(option: int) -> Any:
    """Offer a file no longer; people with a link to it read the reason."""
    row = scalar_or_404(select(DownloadOption).filter_by(id=option))
    form = WithdrawalForm()
    if form.validate_on_submit():
        try:
            with transaction():
                withdraw_file(row, by=current_actor(), reason=form.reason.data or "")
        except Invalid as error:
            form.take(error.problems)
        else:
            flash(_("%(name)s is withdrawn.", name=row.file_name), "success")
            return redirect(url_for(".files"), 303)
    return render_template("admin/files_withdraw.html", form=form, option=row), 422 if form.errors else 200


@blueprint.post("/admin/files/<int:option>/scan")
@needs("operator.manage")
def scan_file_again(option: int) -> Any:
    """Have the virus scanner look at a file once more."""
    row = scalar_or_404(select(DownloadOption).filter_by(id=option))
    with transaction():
        scan_again(row, by=current_actor())
    flash(_("%(name)s is scanned again.", name=row.file_name), "success")
    return redirect(url_for(".files"), 303)
