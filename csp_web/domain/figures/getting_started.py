"""What is left to do before an installation earns money, read from what is there (never from ticked boxes)."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import exists, select

from csp_web.db import session
from csp_web.domain.access.actors import Actor
from csp_web.i18n import N_
from csp_web.models import (
    Customer,
    DownloadOption,
    Order,
    OutboxMessage,
    OutboxState,
    PriceSheetImport,
    ProductKey,
)


@dataclass(frozen=True, slots=True)
class Step:
    """Something to do: a sentence to be translated, the endpoint of the page for it, and whether it was done."""

    text: str
    endpoint: str
    done: bool


_OPERATOR = (
    (N_("Import a price sheet"), "admin.catalogue", exists(select(PriceSheetImport.id))),
    (N_("Put keys into stock"), "admin.keys", exists(select(ProductKey.id))),
    (N_("Add installer files"), "admin.files", exists(select(DownloadOption.id))),
    (
        N_("Test the mail server"),
        "setup.mail",
        exists(select(OutboxMessage.id).where(OutboxMessage.state == OutboxState.SENT)),
    ),
)
_PARTNER = (
    (N_("Add your first customer"), "customers.new", Customer),
    (N_("Place your first order"), "customers.index", Order),
)


def steps_for(actor: Actor) -> list[Step]:
    """The steps of an operator admin and of an admin agent, in their order; none for everybody else. One statement."""
    wanted = list(_OPERATOR) if actor.may("operator.manage") else []
    if actor.may("users.manage") and actor.may("orders.place"):
        wanted += [
            (text, endpoint, exists(select(model.id).where(model.partner_id == actor.partner_id)))
            for text, endpoint, model in _PARTNER
        ]
    if not wanted:
        return []
    row = session.execute(select(*(done.label(f"step{n}") for n, (_t, _e, done) in enumerate(wanted)))).one()
    return [Step(text, endpoint, bool(done)) for (text, endpoint, _x), done in zip(wanted, row, strict=True)]
