"""Routes of support requests: the list, the form, one ticket with its thread, decisions on cancellations, files."""

from __future__ import annotations

from flask import Blueprint, current_app, request

blueprint = Blueprint("tickets", __name__)

from csp_web.blueprints.tickets import decisions, detail, files, listing, new, news, thread  # noqa: E402, F401 -- they use it


@blueprint.url_value_preprocessor
def _read_large_forms(_endpoint: str | None, _values: object) -> None:
    """Read forms with more files than a ticket takes, so that the answer is a sentence beside what was typed (D13)."""
    request.max_content_length = 3 * current_app.extensions["settings"].max_ticket_mb * 1024 * 1024
