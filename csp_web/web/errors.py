"""One place where refusals become answers: a page, or a fragment for htmx, never a trace (S-11)."""

from __future__ import annotations

from typing import Any

import structlog
from flask import Flask, Response, g, make_response, render_template, request
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection
from sqlalchemy.orm.exc import ObjectDeletedError, StaleDataError
from werkzeug.exceptions import HTTPException, SecurityError

from csp_web import db
from csp_web.domain import audit
from csp_web.errors import Busy, Conflict, DomainError, Forbidden
from csp_web.i18n import gettext as _
from csp_web.web import htmx

log = structlog.get_logger("csp_web")


def init_errors(app: Flask) -> None:
    """Answer every error with a sentence."""
    app.register_error_handler(DomainError, refuse)
    app.register_error_handler(StaleDataError, _stale)
    app.register_error_handler(ObjectDeletedError, _stale)
    app.register_error_handler(OperationalError, _database)
    app.register_error_handler(NoConnection, _no_connection)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)


def refuse(error: DomainError) -> Response:
    """A rule, a role or a missing row said no. Refusals to people who are signed in are audited."""
    db.session.rollback()
    if g.get("actor") is not None and error.status in {403, 409}:
        _audit(error)
    return answer(error.status, error.sentence, advice=error.advice)


def answer(status: int, sentence: str, *, advice: str = "") -> Response:
    """A page, or a fragment, that says what happened."""
    said = {"code": status, "sentence": sentence, "advice": advice, "request_id": g.get("request_id", "")}
    if htmx.wants_fragment():
        response = htmx.refusal("errors/_error.html", status, **said)
    else:
        page = render_template("errors/error.html", title=_title(status), home_url="/", **said)
        response = make_response(page, status)
    if status == 503:
        response.headers["Retry-After"] = "2"
    return response


def _audit(error: DomainError) -> None:
    permission = error.permission if isinstance(error, Forbidden) else ""
    try:
        with db.transaction():
            audit.declined(
                "refused",
                by=g.actor,
                resource=("address", f"{request.method} {request.path}"[:300]),
                reason=error.sentence,
                permission=permission or None,
                rule=error.rule or None,
            )
    except DomainError:
        log.warning("a refusal could not be audited", path=_where(), request_id=g.get("request_id"))


def _stale(_error: StaleDataError | ObjectDeletedError) -> Response:
    return refuse(
        Conflict(
            _("Somebody else has changed this in the meantime."),
            advice=_("Open the page again to see what it says now."),
        )
    )


def _database(error: OperationalError) -> Response:
    plain = db._plain(error)
    if isinstance(plain, DomainError):
        return refuse(plain)
    if error.connection_invalidated:
        return _no_connection(error)
    return _unexpected(error)


def _no_connection(_error: Exception) -> Response:
    """The database is away, or all connections of this process were in use for longer than anybody should wait."""
    return refuse(Busy(_("The database does not answer at the moment. Please try again.")))


def _http(error: HTTPException) -> Any:
    if error.code is None or error.code < 400:
        return error
    if isinstance(error, SecurityError):  # an unknown host: a page's links would have to be of it
        return Response(_("The request could not be carried out."), 400, mimetype="text/plain")
    return answer(error.code, _sentence(error.code))


def _unexpected(error: Exception) -> Response:
    db.session.rollback()
    log.error("unexpected error", exc_info=error, path=_where(), request_id=g.get("request_id"))
    return answer(500, _sentence(500))


def _where() -> str:
    """The address for the log. Those of downloads are secrets: of them only the rule is told."""
    rule = request.url_rule
    return rule.rule if rule is not None and request.blueprint == "downloads" else request.path


def _title(status: int) -> str:
    titles = {
        400: _("The request could not be read"),
        403: _("Not allowed"),
        404: _("Not found"),
        405: _("This address does not work that way"),
        409: _("Not possible"),
        410: _("Not handed out"),
        413: _("Too large"),
        422: _("Some fields need your attention"),
        429: _("Too many attempts"),
        503: _("Busy"),
        507: _("No room left"),
    }
    return titles.get(status, _("Something went wrong"))


def _sentence(status: int) -> str:
    sentences = {
        400: _("Part of the form was missing or too old. Go back, reload the page and send it again."),
        404: _("There is nothing at this address."),
        405: _("This address cannot be used in this way."),
        413: _("What you sent is larger than this page takes. Send less, or smaller files."),
        429: _("Please wait a minute and try again."),
        500: _("This is our mistake, and it was noted. Nothing was changed; please try again."),
    }
    return sentences.get(status, _("The request could not be carried out."))
