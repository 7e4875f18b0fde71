"""The list of all software as a file: exactly what is shown, on all of its pages (B7)."""

from __future__ import annotations

from typing import Any

from flask import Response, redirect, url_for

from csp_web.blueprints.software import blueprint
from csp_web.blueprints.software.listing import narrowed_to
from csp_web.db import transaction
from csp_web.domain.delivery.software import count_lines
from csp_web.domain.long_work import exports, jobs
from csp_web.web.attachment_names import content_disposition
from csp_web.web.gate import current_actor, needs


@blueprint.post("/software/export")
@needs("software.see")
def export() -> Any:
    """A small list is answered at once; a long one is written by the worker."""
    actor, filters = current_actor(), narrowed_to()
    if count_lines(actor, filters, up_to=exports.AT_ONCE + 1) <= exports.AT_ONCE:
        answer = Response(exports.export_now(actor, filters), content_type="text/csv; charset=utf-8")
        answer.headers["Content-Disposition"] = content_disposition(exports.file_name())
        return answer
    with transaction():
        subject = filters.text or exports.file_name()
        job = jobs.start("export_software", by=actor, subject=subject, arguments=exports.arguments_of(filters))
        number = job.id
    return redirect(url_for("jobs.detail", job=number), 303)
