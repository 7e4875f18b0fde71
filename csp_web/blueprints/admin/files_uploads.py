"""Installer files that go up in pieces: begun, gone on with, finished, discarded (R22, B5).

Offsets travel as in the open protocol tus: a piece is a PATCH that says where it belongs (``Upload-Offset``); the answer
says how many bytes there are, with 204 when it was taken and with 409 when it was not the next one.
"""

from __future__ import annotations

import hashlib
from typing import Any

from flask import Response, current_app, flash, redirect, render_template, request, url_for

from csp_web.blueprints.admin import blueprint
from csp_web.blueprints.admin.files import file_form_page, signature_in
from csp_web.db import scalar_or_404, select, session, transaction
from csp_web.domain.delivery.download_options import OptionFacts, expected_sum, products_with_files
from csp_web.domain.delivery.uploads import (
    LocalFile,
    Wanted,
    WrongOffset,
    begin_upload,
    discard_upload,
    discarding,
    finish_upload,
    finishing,
    note_piece,
    receiving,
    refuse_other_file,
    shortage,
)
from csp_web.errors import Conflict, Invalid, Refused, StorageFull
from csp_web.forms.uploads import BeginningForm, FinishingForm, GoingOnForm, LocalFileFields
from csp_web.i18n import gettext as _
from csp_web.models import Product, Upload
from csp_web.web.gate import current_actor, needs

MIB = 1024 * 1024
PIECE = 8 * MIB
HEAD = 64 * 1024  # bytes at the beginning of a file by which it is known again
OFFSET = "Upload-Offset"


@blueprint.post("/admin/files/uploads")
@needs("operator.manage")
def begin_file() -> Any:
    """Take the facts of a file and its first bytes; the page of the upload takes the rest, piece by piece."""
    form = BeginningForm(products_with_files())
    if form.validate_on_submit():
        try:
            number = _begin(form)
        except Invalid as error:
            form.take(error.problems)
        except (Conflict, StorageFull) as error:
            form.form_errors.append(f"{error.sentence} {error.advice}")
        else:
            return redirect(url_for(".upload", upload=number), 303)
    page, status = file_form_page(form, 422)
    return page, status, {"HX-Push-Url": url_for(".new_file")}  # what a reload opens


def _begin(form: BeginningForm) -> int:
    file = _local_file(form)
    facts = OptionFacts(form.version.data or "", form.language.data or "", form.file_type.data or "", file.name)
    wanted = Wanted(form.replace.data, expected_sum(form.sha256.data or ""), signature_in(form))
    with transaction():
        product = session.get_one(Product, form.product.data)
        return begin_upload(product, facts, file, wanted, by=current_actor()).id


def _local_file(form: LocalFileFields) -> LocalFile:
    head = form.head.data.stream.read(HEAD) if form.head.data else b""
    return LocalFile(
        form.file_name.data or "", form.size.data or 0, form.modified.data or 0, hashlib.sha256(head).hexdigest()
    )


@blueprint.get("/admin/files/uploads/<int:upload>")
@needs("operator.manage")
def upload(upload: int) -> Any:
    """How far an upload is, and how it goes on."""
    row = _row(upload)
    if row.option_id is not None:
        return redirect(url_for(".files"), 303)
    return _page(row)


def _row(number: int) -> Upload:
    row: Upload = scalar_or_404(select(Upload).filter_by(id=number))
    return row


def _page(row: Upload, status: int = 200, *, form: GoingOnForm | None = None, end: FinishingForm | None = None) -> Any:
    whole = row.received == row.size
    page = render_template(
        "admin/files_upload.html",
        upload=row,
        whole=whole,
        ready=status == 200 and not whole,
        form=form or GoingOnForm(None),
        end=end or FinishingForm(None, sha256=row.expected_sha256, replace=row.replace),
        piece=min(PIECE, current_app.config["MAX_CONTENT_LENGTH"] or PIECE),
        shortage="" if whole else shortage(),
    )
    return page, status, {"HX-Push-Url": url_for(".upload", upload=row.id)}


@blueprint.post("/admin/files/uploads/<int:upload>")
@needs("operator.manage")
def go_on(upload: int) -> Any:
    """The file was chosen again: is it the same?"""
    row, form = _row(upload), GoingOnForm()
    if not form.head.data:
        form.take({"file": _("Choose a file. Resuming needs JavaScript.")})
    elif form.validate_on_submit():
        try:
            refuse_other_file(row, _local_file(form))
            return redirect(url_for(".upload", upload=upload), 303)
        except Invalid as error:
            form.take(error.problems)
    return _page(row, 422, form=form)


@blueprint.patch("/admin/files/uploads/<int:upload>")
@needs("operator.manage")
def take_piece(upload: int) -> Response:
    """A piece, as the body. 204, or 409 when it is not the next one; both say how many bytes there are."""
    row, offset = _row(upload), request.headers.get(OFFSET, type=int)
    if offset is None:
        raise Invalid({"file": _("The piece does not fit.")})
    try:
        with receiving(row, offset, request.stream, length=request.content_length or 0) as count, transaction():
            there = note_piece(row, offset, count).received
    except WrongOffset as error:
        return Response(status=409, headers={OFFSET: str(error.right)})
    except Refused:
        if (row := _row(upload)).option_id is None:
            raise
        return Response(status=409, headers={OFFSET: str(row.size)})  # another tab was faster: everything is there
    return Response(status=204, headers={OFFSET: str(there)})


@blueprint.post("/admin/files/uploads/<int:upload>/end")
@needs("operator.manage")
def finish(upload: int) -> Any:
    """Everything is there: offer it."""
    row, form = _row(upload), FinishingForm()
    if form.validate_on_submit():
        try:
            name = _finish(row, form)
        except Invalid as error:
            form.take(error.problems)
        except (Conflict, Refused) as error:
            form.form_errors.append(f"{error.sentence} {error.advice}".rstrip())
        else:
            flash(_("%(name)s is offered now.", name=name), "success")
            return redirect(url_for(".files"), 303)
    session.rollback()
    return _page(_row(upload), 422, end=form)


def _finish(row: Upload, form: FinishingForm) -> str:
    wanted = Wanted(form.replace.data, expected_sum(form.sha256.data or ""))
    with finishing(row) as stored, transaction():
        return finish_upload(row, stored=stored, by=current_actor(), wanted=wanted).file_name


@blueprint.post("/admin/files/uploads/<int:upload>/discard")
@needs("operator.manage")
def discard(upload: int) -> Any:
    """Forget an upload and its pieces."""
    row = _row(upload)
    name = row.file_name
    try:
        with discarding(row), transaction():
            discard_upload(row, by=current_actor())
    except Refused as error:
        flash(error.sentence, "danger")
    else:
        flash(_("The upload of %(name)s is discarded.", name=name), "success")
    return redirect(url_for(".files"), 303)
