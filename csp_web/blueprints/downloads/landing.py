"""The landing page of a download link, and its one button.

Opening the page never counts, however often and by whatever scanner. Pressing the button counts one and goes to the
transfer. Neither needs a cookie, a script or an account (R29); a cookie, where it is taken, tells two people behind
one address apart.
"""

from __future__ import annotations

import secrets
from typing import Any

from flask import Response, g, make_response, redirect, render_template, request, url_for

from csp_web import i18n
from csp_web.blueprints.downloads import blueprint
from csp_web.db import now, transaction
from csp_web.domain.delivery.checksums import sums_of
from csp_web.domain.delivery.links import LinkState, find_link, link_state
from csp_web.domain.delivery.signatures import signature_of
from csp_web.domain.delivery.transfers import LinkEnded, Visitor, ended, open_transfer, token_of
from csp_web.domain.upkeep.configured import file_store
from csp_web.errors import NotFound
from csp_web.i18n import gettext as _
from csp_web.models import DownloadLink
from csp_web.web.attachment_names import content_disposition
from csp_web.web.gate import public, public_button
from csp_web.web.headers import CSP

COOKIE = "csp_visitor"
COOKIE_SECONDS = 24 * 3600
LONGEST_TOKEN = 100


@blueprint.before_request
def _speak() -> None:
    """The language of the switch, else what the browser asks for."""
    chosen = request.args.get("lang", "")
    if chosen in g.settings.languages:
        i18n.set_place(chosen)


@blueprint.after_request
def _keep_quiet(response: Response) -> Response:
    """Search engines, caches and other sites learn nothing of these addresses."""
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.errorhandler(LinkEnded)
def _ended(error: LinkEnded) -> Any:
    """What happened to the link and what to do; the page of a link that is over has no button."""
    return render_template("downloads/ended.html", title=_title(error.state), error=error), error.status


@blueprint.errorhandler(NotFound)
def _unknown(_error: NotFound) -> Any:
    sentence = _("There is no download at this address.")
    advice = _("Check that the whole link was copied, up to its last letter, or ask for it again.")
    known = LinkEnded(LinkState.REVOKED, sentence, advice=advice)
    return render_template("downloads/ended.html", title=_("Not found"), error=known), 404


def _title(state: LinkState) -> str:
    titles = {
        LinkState.REVOKED: _("This link was revoked"),
        LinkState.WITHDRAWN: _("This file was withdrawn"),
        LinkState.BLOCKED: _("This file was blocked"),
        LinkState.EXPIRED: _("This link has ended"),
        LinkState.USED_UP: _("This link is used up"),
    }
    return titles.get(state, _("This link has ended"))


def _living(token: str) -> DownloadLink:
    """The link, where its download can be had. Raises NotFound, LinkEnded."""
    link, at = find_link(token[:LONGEST_TOKEN]), now()
    if link_state(link, at) is not LinkState.LIVE:
        raise ended(link, at)
    return link


@blueprint.get("/d/<token>/SHA256SUMS")
@public
def checksums(token: str) -> Response:
    """The file's SHA-256 for ``sha256sum -c``; counts nothing."""
    option = _living(token).option
    return Response(sums_of([(option.sha256, option.file_name)]), content_type="text/plain; charset=utf-8")


@blueprint.get("/d/<token>/signature")
@public
def signature(token: str) -> Response:
    """The detached signature that lies beside the file, if there is one; counts nothing."""
    name, content = signature_of(_living(token).option)
    response = Response(content, content_type="application/octet-stream")
    response.headers["Content-Disposition"] = content_disposition(name)
    return response


@blueprint.get("/d/<token>")
@public
def landing(token: str) -> Any:
    """What is to be downloaded, what is left, one button. GET and HEAD never count."""
    link = _living(token)
    response = make_response(render_template("downloads/landing.html", link=link, token=token))
    _let_the_button_lead_to_the_store(response)
    if COOKIE not in request.cookies and request.method == "GET":
        response.set_cookie(
            COOKIE,
            secrets.token_urlsafe(16),
            max_age=COOKIE_SECONDS,
            path="/d/",
            secure=g.settings.https,
            httponly=True,
            samesite="Lax",
        )
    return response


def _let_the_button_lead_to_the_store(response: Response) -> None:
    """Browsers hold the form to where it is redirected: an S3 store gives the bytes under an address of its own."""
    origin = file_store().origin()
    if origin:
        response.headers["Content-Security-Policy"] = CSP.replace("form-action 'self'", f"form-action 'self' {origin}")


@blueprint.post("/d/<token>")
@public_button
def press(token: str) -> Any:
    """**Download**: counts one, or goes back to the transfer that this person has."""
    link = find_link(token[:LONGEST_TOKEN])
    visitor = Visitor(
        cookie=request.cookies.get(COOKIE, "")[:LONGEST_TOKEN],
        address=request.remote_addr or "",
        agent=request.user_agent.string[:300].replace("\0", ""),
    )
    with transaction():
        address = token_of(open_transfer(link, visitor))
    return redirect(url_for(".transfer", token=address), 303)
