"""What was typed into a form when the session ended: kept, and shown again to the same person after signing in."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

from flask import flash, g, request
from sqlalchemy import Select, delete, select
from werkzeug.datastructures import MultiDict

from csp_web import db
from csp_web.db import now, session
from csp_web.domain.access import sessions
from csp_web.domain.access.actors import Actor
from csp_web.i18n import gettext as _
from csp_web.identifiers import new_token, token_hash
from csp_web.models import KeptForm
from csp_web.web.places import came_from

MAX_CHARACTERS = 1_000_000
MOST_KEPT = 20  # forms of one person
KEPT_FOR = timedelta(hours=24)
SECRET_FIELDS = ("csrf_token", "form_token", "password", "new_password", "product_keys", "endings")


def form_page() -> str:
    """The page on which the form of this request stands: its own address for GET, else the page that it was sent from."""
    if request.method == "GET":
        return request.full_path.rstrip("?")
    return came_from() or request.path


def keep(session_token: str, path: str) -> str | None:
    """Keep the texts of this form for the person whose session ended; files have to be chosen again."""
    user_id = sessions.last_user_of(session_token)
    texts = {
        name: [value.replace("\0", "") for value in values]  # which no database stores
        for name, values in request.form.lists()
        if not name.endswith(SECRET_FIELDS) and "\0" not in name
    }
    if user_id is None or not texts or sum(len(v) for vs in texts.values() for v in vs) > MAX_CHARACTERS:
        return None
    token = new_token()
    with db.transaction():
        session.execute(delete(KeptForm).where(KeptForm.created_at < now() - KEPT_FOR))
        session.execute(delete(KeptForm).where(KeptForm.token_hash.in_(_beyond(user_id))))
        session.add(KeptForm(token_hash=token_hash(token), user_id=user_id, path=urlsplit(path).path, content=texts))
    return token


def _beyond(user_id: int) -> Select[bytes]:
    """All but a person's newest: a session that ended may be somebody's who has the cookie and no password."""
    theirs = select(KeptForm.token_hash).where(KeptForm.user_id == user_id)
    return theirs.order_by(KeptForm.created_at.desc(), KeptForm.token_hash).offset(MOST_KEPT - 1)


def bring_back(actor: Actor) -> None:
    """Put kept texts into the forms of this page (``web.forms`` takes them from ``g.kept``)."""
    token = request.args.get("kept")
    if not token or request.method != "GET":
        return
    row = session.get(KeptForm, token_hash(token))
    if row is None or row.user_id != actor.id or row.path != request.path or row.created_at < now() - KEPT_FOR:
        return
    g.kept = MultiDict([(name, value) for name, values in row.content.items() for value in values])
    flash(_("Your session had ended. What you typed was kept; nothing was sent yet."), "info")
