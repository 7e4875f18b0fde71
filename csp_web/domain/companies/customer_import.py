"""Customers from a sheet of the vendor's portal: all of them or none (D10)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from sqlalchemy import select

from csp_web.db import session
from csp_web.domain import audit
from csp_web.domain.access.actors import Actor, require
from csp_web.domain.companies.customer_sheet import CustomerRow
from csp_web.domain.companies.customers import CustomerFacts, checked_facts, create_customers, taken_domain
from csp_web.domain.sheets import RowError
from csp_web.errors import Invalid
from csp_web.i18n import gettext as _
from csp_web.models import Customer
from csp_web.said import joined

ROWS_AT_ONCE = 500

Progress = Callable[[int], None]


@dataclass
class CustomerImport:
    """What an import did or would do; with errors nothing of it is kept."""

    rows: int = 0
    added: int = 0
    unchanged: int = 0
    errors: list[RowError] = field(default_factory=list)
    new: list[tuple[UUID, CustomerFacts]] = field(default_factory=list, repr=False)


def import_customers(
    source: Iterable[CustomerRow | RowError], *, by: Actor, country: str = "", progress: Progress | None = None
) -> CustomerImport:
    """Add the customers of a sheet to the actor's partner, inside the caller's transaction; with errors none.

    ``country`` is for sheets without such a column; ``progress`` is told how many rows were read.

    Raises:
        Forbidden: the role may not add customers.
    """
    report = check_customers(source, by=by, country=country, progress=progress)
    if not report.errors:
        store_customers(report, by=by)
    return report


def check_customers(
    source: Iterable[CustomerRow | RowError], *, by: Actor, country: str = "", progress: Progress | None = None
) -> CustomerImport:
    """What an import would do: nothing is written. Those that are there with the same facts stay as they are.

    Raises:
        Forbidden: the role may not add customers.
    """
    require(by, "customers.add")
    report = CustomerImport()
    known = {row.uuid: row for row in _known(by)}
    domains = {row.domain: row.company_name for row in known.values()}
    for row in source:
        if isinstance(row, RowError):
            report.errors.append(row)
            continue
        report.rows += 1
        _take(replace(row, country=row.country or country or None), known, domains, report)
        if progress is not None:
            progress(report.rows)
    return report


def store_customers(report: CustomerImport, *, by: Actor, progress: Progress | None = None) -> None:
    """Write what a check found to be new, inside the caller's transaction. ``progress`` may end it by raising.

    Raises:
        Forbidden: the role may not add customers. Conflict: somebody added one of them meanwhile.
    """
    require(by, "customers.add")
    for start in range(0, len(report.new), ROWS_AT_ONCE):
        create_customers(report.new[start : start + ROWS_AT_ONCE], by=by)
        if progress is not None:
            progress(min(start + ROWS_AT_ONCE, len(report.new)))
    audit.record("import_customers", by=by, resource=("customers", ""), rows=report.rows, added=report.added)


def _known(by: Actor) -> Iterable[Any]:
    columns = (Customer.uuid, Customer.company_name, Customer.domain, Customer.country)
    return session.execute(select(*columns).where(Customer.partner_id == by.partner_id)).all()


def _take(row: CustomerRow, known: dict[UUID, Any], domains: dict[str, str], report: CustomerImport) -> None:
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
        if row.domain in domains:
            raise Invalid({"domain": taken_domain(domains[row.domain])})
        checked_facts(facts)
        report.new.append((row.microsoft_id, facts))
        report.added += 1
    except Invalid as refusal:
        report.errors.append(RowError(row.line, joined(refusal.problems.values())))


def _other_facts(there: Any) -> str:
    return _(
        "You already have a customer with this ID and different details: %(name)s, %(domain)s, %(country)s.",
        name=there.company_name,
        domain=there.domain,
        country=there.country,
    )
