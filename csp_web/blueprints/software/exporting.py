"""The list of all software as a file: exactly what is shown, on all of its pages (B7)."""

from __future__ import annotations

from typing import Any

from flask import Response, redirect, request, url_for

from csp_web.blueprints.software import blueprint
from csp_web.blueprints.software.listing import viewed_now
from csp_web.db import transaction
from csp_web.domain.delivery.software import count_lines
from csp_web.domain.delivery.software_filters import arguments_of
from csp_web.domain.long_work import exports, jobs
from csp_web.web.attachment_names import content_disposition
from csp_web.web.gate import current_actor, needs


@blueprint.post("/software/export")
@needs("software.see")
def export() -> Any:
    """A small list is answered at once; a long one is written by the worker."""
    actor, view = current_actor(), viewed_now()
    form = exports.XLSX if request.form.get("format") == exports.XLSX else exports.CSV
    name = exports.file_name(form)
    if count_lines(actor, view, up_to=exports.AT_ONCE + 1) <= exports.AT_ONCE:
        answer = Response(exports.export_now(actor, view, form), content_type=exports.content_type(name))
        answer.headers["Content-Disposition"] = content_disposition(name)
        return answer
    with transaction():
        subject = f"{view.filters.text} ({name})" if view.filters.text else name
        arguments = {**arguments_of(view), "format": form}
        number = jobs.start("export_software", by=actor, subject=subject, arguments=arguments).id
    return redirect(url_for("jobs.detail", job=number), 303)
