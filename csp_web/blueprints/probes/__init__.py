"""Probes for the machine room: is the process alive, can it work."""

from __future__ import annotations

from flask import Blueprint, Response
from sqlalchemy import text

from csp_web.db import session
from csp_web.web.gate import public

blueprint = Blueprint("probes", __name__)


@blueprint.get("/healthz")
@public
def healthz() -> Response:
    """The process answers."""
    return Response("ok\n", mimetype="text/plain")


@blueprint.get("/readyz")
@public
def readyz() -> Response:
    """The database answers too; an error becomes 503."""
    session.execute(text("SELECT 1 FROM partners"))
    return Response("ready\n", mimetype="text/plain")
