"""Customers from the sheet, most of them Contoso's, with addresses in many countries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select

from csp_web.db import session
from csp_web.demo.catalogue import DATA
from csp_web.domain.access.actors import Actor
from csp_web.domain.companies.customer_import import import_customers
from csp_web.domain.companies.customer_sheet import CustomerRow, read_customer_sheet
from csp_web.domain.companies.customers import CustomerFacts, edit_customer
from csp_web.models import Customer

FABRIKAMS = {"Lucerne Publishing", "School of Fine Art", "Southridge Video", "Treyresearch", "Wide World Importers"}


@dataclass(frozen=True, slots=True)
class Address:
    """Where a customer is and whom one asks for."""

    city: str
    line1: str
    postal_code: str
    contact: str
    state: str = ""
    phone: str = ""
    registration_number: str = ""


ADDRESSES = {
    "Adventure Works": Address("Seattle", "500 Pine Street", "98101", "Maria Lopez", "WA", "+1 425 555 0111"),
    "Alpine Ski House": Address("Zürich", "Bahnhofstrasse 12", "8001", "Reto Keller"),
    "Blue Yonder Airlines": Address("London", "24 Fleet Street", "EC4Y 1AA", "Priya Shah", "", "+44 20 7946 0112"),
    "City Power & Light": Address("Berlin", "Invalidenstraße 5", "10115", "Jonas Weber", "", "+49 30 23125 201"),
    "Coho Vineyard": Address("Napa", "17 Vineyard Lane", "94558", "Ethan Cole", "CA", "+1 707 555 0113"),
    "Fourth Coffee": Address("Portland", "81 Burnside Street", "97209", "Grace Kim", "OR", "+1 503 555 0114"),
    "Graphic Design Institute": Address("Hamburg", "Speicherstadt 3", "20457", "Lena Schulz"),
    "Humongous Insurance, Inc.": Address("Chicago", "200 Lake Street", "60601", "Oscar Diaz", "IL", "+1 312 555 0115"),
    "Lucerne Publishing": Address("Luzern", "Seestrasse 8", "6003", "Nina Frei"),
    "Margie’s Travel": Address("Leeds", "3 Park Row", "LS1 5HD", "Margaret Hill", "", "+44 113 496 0116"),
    "Proseware 日本": Address("Tokyo", "Marunouchi 1-1", "100-0005", "Haruto Sato"),
    "Relecloud": Address("Kuwait City", "Al Shuhada Street 4", "13001", "Fatima Salem"),
    "School of Fine Art": Address("Glasgow", "167 Renfrew Street", "G3 6RQ", "Isla Reid", "", "+44 141 496 0117"),
    "Southridge Video": Address(
        "São Paulo", "Rua Augusta 900", "01304-001", "João Lima", "SP", "", "12.345.678/0001-95"
    ),
    "Treyresearch": Address("Seoul", "Sejong-daero 110", "04524", "Kim Minjun"),
    "Wide World Importers": Address("Bremen", "Am Hafen 40", "28195", "Paul Krüger"),
    "Wingtip “Quoted” Toys": Address("Austin", "9 Congress Avenue", "78701", "Sofia Reyes", "TX", "+1 512 555 0118"),
}


def add_customers(*, contoso: Actor, fabrikam: Actor) -> None:
    """Import the sheet, each partner its own customers."""
    for by, theirs in ((contoso, False), (fabrikam, True)):
        report = import_customers((row for row in _rows() if (row.company_name in FABRIKAMS) is theirs), by=by)
        if report.errors:
            raise ValueError(f"customers.csv: {report.errors[0]}")


def _rows() -> Iterator[CustomerRow]:
    with (DATA / "customers.csv").open("rb") as stream:
        for row in read_customer_sheet(stream):
            if not isinstance(row, CustomerRow):
                raise ValueError(f"customers.csv: {row}")
            yield row


def add_addresses(*, contoso: Actor, fabrikam: Actor) -> None:
    """Complete the customers that have an address; for the others their page says what is missing."""
    for customer in session.scalars(select(Customer).order_by(Customer.id)).all():
        address = ADDRESSES.get(customer.company_name)
        if address is not None:
            by = fabrikam if customer.company_name in FABRIKAMS else contoso
            edit_customer(customer, _facts(customer, address), by=by, version=customer.version)


def _facts(customer: Customer, address: Address) -> CustomerFacts:
    first, _, last = address.contact.partition(" ")
    return CustomerFacts(
        company_name=customer.company_name,
        domain=customer.domain,
        country=customer.country,
        line1=address.line1,
        city=address.city,
        state=address.state,
        postal_code=address.postal_code,
        first_name=first,
        last_name=last,
        email=f"it@{customer.domain}",
        phone=address.phone,
        registration_number=address.registration_number,
    )


def customer(name: str) -> Customer:
    """A customer by name."""
    return session.scalars(select(Customer).filter_by(company_name=name)).one()
