"""Views of the list of all software that people keep: filters and columns under a name, as a link above the list (B7).

A view belongs to who made it. Nobody else sees it, unless it is shared with the colleagues; and nobody else changes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, bindparam, or_, select

from csp_web.db import for_update, read, session
from csp_web.domain import audit, once
from csp_web.domain.access.actors import Actor, require
from csp_web.errors import Conflict, Forbidden, Invalid, Refused
from csp_web.i18n import gettext as _
from csp_web.i18n import ngettext
from csp_web.identifiers import clean_text, fold
from csp_web.models import SavedView, User
from csp_web.models.views import LONGEST_NAME

MOST_VIEWS = 20  # of one person
MOST_LISTED = 100  # of one's own and of the colleagues'
_view = SavedView.__table__.c
_LISTED: Select[*tuple[Any, ...]] = (
    select(_view.id, _view.name, _view.query, _view.shared, _view.owner_id, User.name.label("owner"))
    .join_from(SavedView.__table__, User.__table__, User.id == _view.owner_id)
    .where(_view.partner_id == bindparam("partner"), or_(_view.owner_id == bindparam("owner"), _view.shared))
    .order_by(_view.owner_id != bindparam("owner"), _view.name_folded, _view.id)
    .limit(MOST_LISTED)
)


def views_of(actor: Actor) -> Sequence[Any]:
    """The views that a person sees, the own ones first: id, name, query, shared, owner_id, owner."""
    return read(_LISTED, {"partner": actor.partner_id, "owner": actor.id}).all()


def sees_view(actor: Actor, view: SavedView) -> bool:
    """Whether a person may know of a view: the own ones, and what colleagues share."""
    return view.partner_id == actor.partner_id and (view.owner_id == actor.id or view.shared)


def why_not_save(actor: Actor) -> str:
    """Why a person cannot keep one more view, if so."""
    kept = session.scalars(select(SavedView.id).filter_by(owner_id=actor.id).limit(MOST_VIEWS)).all()
    if len(kept) < MOST_VIEWS:
        return ""
    return ngettext(
        "You have kept %(num)s view, and no more fit. Delete one that you do not need.",
        "You have kept %(num)s views, and no more fit. Delete one that you do not need.",
        MOST_VIEWS,
    )


def save_view(
    name: str, query: str, *, by: Actor, shared: bool = False, replace: bool = False, form_token: str = ""
) -> SavedView:
    """Keep what a list is narrowed to under a name; with ``replace`` the own view of that name becomes this one.

    The same form sent twice is one view.

    Raises:
        Forbidden: the role may not see the list. Invalid: the name is empty, too long or taken.
        Refused: the person has as many views as one may have. Conflict: the form's view was deleted meanwhile.
    """
    require(by, "software.see")
    tidy = _tidy(name)
    content = {"name": tidy, "query": query, "shared": shared, "replace": replace}
    before = once.first_time(form_token, purpose="save_view", content=content, by=by) if form_token else None
    if before is not None:
        return _kept_before(int(before))
    for_update(User, by.id)  # a person's views are counted and named one after the other
    view = _named(tidy, by)
    if view is not None and not replace:
        raise Invalid({"name": _("You have a view of this name. Choose another name, or replace that view.")})
    if view is None:
        if reason := why_not_save(by):
            raise Refused(reason)
        view = SavedView(partner_id=by.partner_id, owner_id=by.id, name=tidy, name_folded=fold(tidy))
        session.add(view)
    view.query, view.shared = query, shared
    session.flush()
    audit.record("save_view", by=by, resource=("view", view.id), name=view.name, shared=shared)
    if form_token:
        once.done(form_token, by=by, result=view.id)
    return view


def _kept_before(number: int) -> SavedView:
    view = session.get(SavedView, number)
    if view is None:
        raise Conflict(_("This view was deleted meanwhile."))
    return view


def change_view(view: SavedView, *, by: Actor, name: str, shared: bool) -> None:
    """Give a view another name, share it or keep it for oneself.

    Raises:
        Forbidden: it is a colleague's. Conflict: it was deleted. Invalid: the name is empty, too long or taken.
    """
    view = _own(view, by)
    tidy = _tidy(name)
    other = _named(tidy, by)
    if other is not None and other.id != view.id:
        raise Invalid({"name": _("You have a view of this name. Choose another name.")})
    changes = {
        field: [old, new]
        for field, old, new in (("name", view.name, tidy), ("shared", view.shared, shared))
        if old != new
    }
    if not changes:
        return
    view.name, view.name_folded, view.shared = tidy, fold(tidy), shared
    session.flush()
    audit.record("change_view", by=by, resource=("view", view.id), changes=changes)


def delete_view(view: SavedView, *, by: Actor) -> None:
    """Delete a view. Raises Forbidden: it is a colleague's. Conflict: it was deleted by now."""
    view = _own(view, by)
    audit.record("delete_view", by=by, resource=("view", view.id), name=view.name)
    session.delete(view)
    session.flush()


def why_not_change(view: SavedView, actor: Actor) -> str:
    """Why a person cannot change a view that is seen: it is a colleague's (B6)."""
    if view.owner_id == actor.id:
        return ""
    return _("This view is %(name)s’s. Only who made a view can change or delete it.", name=view.owner.name)


def _own(view: SavedView, by: Actor) -> SavedView:
    """The view as it is now, in the turn of its owner."""
    require(by, "software.see")
    if reason := why_not_change(view, by):
        raise Forbidden(reason)
    for_update(User, by.id)
    current = session.get(SavedView, view.id, populate_existing=True)
    if current is None:
        raise Conflict(_("This view was deleted meanwhile."))
    return current


def _named(name: str, by: Actor) -> SavedView | None:
    return session.scalar(select(SavedView).filter_by(owner_id=by.id, name_folded=fold(name)))


def _tidy(name: str) -> str:
    tidy = " ".join(clean_text(name).split())
    if not fold(tidy):
        raise Invalid({"name": _("Give the view a name.")})
    if len(tidy) > LONGEST_NAME or len(fold(tidy)) > LONGEST_NAME * 3:
        raise Invalid({"name": ngettext("At most %(num)s character.", "At most %(num)s characters.", LONGEST_NAME)})
    return tidy


__all__ = [
    "MOST_VIEWS",
    "change_view",
    "delete_view",
    "save_view",
    "sees_view",
    "views_of",
    "why_not_change",
    "why_not_save",
]
