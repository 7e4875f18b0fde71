"""Rows named in an address, loaded through the person who asks (S-1): a stranger's row is not found.

A route says ``/customers/<uuid:customer>`` and its function gets the row. This is the one place where ids of an
address become rows, so a new route cannot forget the check.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import request
from sqlalchemy import select

from csp_web.db import scalar_or_404
from csp_web.domain.access.actors import Actor, find
from csp_web.domain.delivery.saved_views import sees_view
from csp_web.domain.long_work.jobs import sees
from csp_web.errors import NotFound
from csp_web.models import (
    Customer,
    DownloadLink,
    Job,
    Order,
    Partner,
    SavedView,
    Subscription,
    Ticket,
    TicketFile,
    User,
)

Loader = Callable[[Actor, Any], Any]
LARGEST_ID = 2**63 - 1


def _ticket_file(actor: Actor, number: int) -> TicketFile:
    from csp_web.db import session

    file = session.get(TicketFile, number)
    if file is None:
        raise NotFound
    find(Ticket, actor, id=file.ticket_id)
    if file.note is not None and file.note.internal and not actor.sees_all_partners:
        raise NotFound
    return file


def _person(actor: Actor, number: int) -> User:
    """Somebody of the own organisation; for an operator admin, of any."""
    if not actor.may("operator.manage"):
        return find(User, actor, id=number)
    return scalar_or_404(select(User).filter_by(id=number))


def _partner(actor: Actor, number: int) -> Partner:
    """The own organisation; for an operator admin, any."""
    if number != actor.partner_id and not actor.may("operator.manage"):
        raise NotFound
    return scalar_or_404(select(Partner).filter_by(id=number))


def _job(actor: Actor, number: int) -> Job:
    """Long work of one's own; for an operator admin, of the operator too."""
    job = scalar_or_404(select(Job).filter_by(id=number))
    if not sees(actor, job):
        raise NotFound
    return job


def _view(actor: Actor, number: int) -> SavedView:
    """A view of one's own, or one that a colleague shares."""
    view: SavedView = scalar_or_404(select(SavedView).filter_by(id=number))
    if not sees_view(actor, view):
        raise NotFound
    return view


LOADERS: dict[str, Loader] = {
    "customer": lambda actor, key: find(Customer, actor, uuid=key),
    "order": lambda actor, key: find(Order, actor, order_id=key),
    "subscription": lambda actor, key: find(Subscription, actor, uuid=key),
    "link": lambda actor, key: find(DownloadLink, actor, id=key),
    "ticket": lambda actor, key: find(Ticket, actor, number=key),
    "ticket_file": _ticket_file,
    "person": _person,
    "partner": _partner,
    "job": _job,
    "view": _view,
    "user": lambda actor, key: find(User, actor, id=key),
}
PARENTS = {"subscription": "customer", "order": "customer", "link": "subscription", "ticket_file": "ticket"}


def load(actor: Actor) -> None:
    """Replace the ids in the address by rows.

    Raises:
        NotFound: a row does not exist, is another partner's, or is not part of the row named before it.
    """
    values = request.view_args
    if not values:
        return
    if any(_is_impossible(value) for value in values.values()):
        raise NotFound
    for name in values:
        if name in LOADERS:
            values[name] = LOADERS[name](actor, values[name])
    for child, parent in PARENTS.items():
        if child in values and parent in values and getattr(values[child], f"{parent}_id") != values[parent].id:
            raise NotFound


def _is_impossible(value: object) -> bool:
    """Whether no database can hold such an id, so that asking it would be an error."""
    return (isinstance(value, int) and value > LARGEST_ID) or (isinstance(value, str) and "\0" in value)
