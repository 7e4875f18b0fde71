"""Sheets of customers, as the vendor's portal exports them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO
from uuid import UUID

from csp_web.domain import cells
from csp_web.domain.companies.company_names import company_name_problems
from csp_web.domain.sheets import CellError, Column, Once, RowError, read_rows
from csp_web.identifiers import normalize_domain


def _company_name(text: str) -> str:
    problems = company_name_problems(text)
    if problems:
        raise ValueError(problems[0])
    return cells.text(text)


COLUMNS = (
    Column("Microsoft ID", cells.guid),
    Column("Company name", _company_name),
    Column("Primary domain name", normalize_domain),
    Column(
        "Relationship", cells.one_of("Reseller", "Advisor", "Syndication", "None", default="Reseller"), required=False
    ),
    Column("Country", cells.optional(cells.country), required=False),
)


@dataclass(frozen=True, slots=True)
class CustomerRow:
    """One customer. `country` is None when the sheet has no such column: older exports have none."""

    line: int
    microsoft_id: UUID
    company_name: str
    domain: str
    relationship: str
    country: str | None


def read_customer_sheet(stream: BinaryIO) -> Iterator[CustomerRow | RowError]:
    """Read customers from a binary stream; wrong rows, and an ID or domain that comes twice, as RowError between them."""
    ids, domains = Once(), Once()

    def build(line: int, *values: object) -> CustomerRow:
        row = CustomerRow(line, *values)  # type: ignore[arg-type]  # the columns' readers give the types
        _check_once(ids, "Microsoft ID", line, row.microsoft_id)
        _check_once(domains, "Primary domain name", line, row.domain)
        return row

    return read_rows(stream, COLUMNS, build)


def _check_once(once: Once, column: str, line: int, value: UUID | str) -> None:
    try:
        once.check(line, value)
    except ValueError as refusal:
        raise CellError(column, str(refusal)) from None
