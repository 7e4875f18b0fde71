"""Customers from a sheet of the vendor's portal: all of them or none (D10)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from sqlalchemy import select

from csp_web.db import session
from csp_web.domain import audit
from csp_web.domain.actors import Actor, require
from csp_web.domain.customer_sheet import CustomerRow
from csp_web.domain.customers import CustomerFacts, create_customer
from csp_web.domain.sheets import RowError
from csp_web.errors import Invalid
from csp_web.i18n import gettext as _
from csp_web.models import Customer

Progress = Callable[[int], None]


@dataclass
class CustomerImport:
    """What an import did; with errors the caller keeps nothing of it."""

    rows: int = 0
    added: int = 0
    unchanged: int = 0
    errors: list[RowError] = field(default_factory=list)


def import_customers(
    source: Iterable[CustomerRow | RowError], *, by: Actor, country: str = "", progress: Progress | None = None
) -> CustomerImport:
    """Add the customers of a sheet to the actor's partner; those that are there with the same facts stay as they are.

    ``country`` is for sheets without such a column. The caller undoes the transaction when there are errors.

    Raises:
        Forbidden: the role may not add customers.
    """
    require(by, "customers.add")
    report = CustomerImport()
    known = _known(by)
    for row in source:
        if isinstance(row, RowError):
            report.errors.append(row)
            continue
        report.rows += 1
        _take(replace(row, country=row.country or country or None), known, report, by)
        if progress is not None:
            progress(report.rows)
    if not report.errors:
        audit.record("import_customers", by=by, resource=("customers", ""), rows=report.rows, added=report.added)
    return report


def _known(by: Actor) -> dict[UUID, Any]:
    columns = (Customer.uuid, Customer.company_name, Customer.domain, Customer.country)
    return {row.uuid: row for row in session.execute(select(*columns).where(Customer.partner_id == by.partner_id))}


def _take(row: CustomerRow, known: dict[UUID, Any], report: CustomerImport, by: Actor) -> None:
    there = known.get(row.microsoft_id)
    if there is not None:
        same = (there.company_name, there.domain) == (row.company_name, row.domain)
        if same and row.country in {None, there.country}:
            report.unchanged += 1
        else:
            report.errors.append(RowError(row.line, _other_facts(there), "Microsoft ID"))
        return
    facts = CustomerFacts(company_name=row.company_name, domain=row.domain, country=row.country or "")
    try:
        create_customer(facts, by=by, guid=str(row.microsoft_id))
        report.added += 1
    except Invalid as refusal:
        report.errors.append(RowError(row.line, " ".join(refusal.problems.values())))


def _other_facts(there: Any) -> str:
    return _(
        "You already have a customer with this ID and different details: %(name)s, %(domain)s, %(country)s.",
        name=there.company_name,
        domain=there.domain,
        country=there.country,
    )
