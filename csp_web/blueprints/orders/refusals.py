"""Refusals that are shown on the page they concern are written into the log all the same (B11)."""

from __future__ import annotations

from csp_web.db import session, transaction
from csp_web.domain import audit
from csp_web.errors import DomainError
from csp_web.models import Customer
from csp_web.said import joined
from csp_web.web.gate import current_actor


def note_refusal(operation: str, customer: Customer, error: DomainError) -> None:
    """Log that an act on a customer's cart was refused; its own transaction is gone."""
    session.rollback()
    with transaction():
        audit.declined(
            operation,
            by=current_actor(),
            resource=("cart", customer.uuid),
            reason=joined((error.sentence, error.advice)),
            customer=customer,
        )
