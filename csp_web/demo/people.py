"""Organisations and people, with passwords that follow from the seed."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from csp_web.db import session
from csp_web.domain.access.actors import Actor, actor_of
from csp_web.domain.access.passwords import temporary_password
from csp_web.domain.access.people import add_partner, add_user
from csp_web.models import Partner, Role, User

OPERATOR, CONTOSO, FABRIKAM = "Northwind Distribution", "Contoso Resale", "Fabrikam Cloud"
BERLIN = "Europe/Berlin"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who signs in."""

    email: str
    name: str
    partner: str
    role: Role
    phone: str = "+49 30 23125 0"
    time_zone: str = BERLIN

    def password(self, seed: int) -> str:
        """The password: the same for the same seed."""
        return temporary_password(self.email, f"demo world {seed}")


PARTNERS = ((OPERATOR, "US", True), (CONTOSO, "DE", False), (FABRIKAM, "GB", False))
PEOPLE = (
    Person("alice@contoso.example", "Alice Meyer", CONTOSO, Role.ADMIN_AGENT, "+49 30 23125 101"),
    Person("bob@contoso.example", "Bob Fischer", CONTOSO, Role.SALES_AGENT, "+49 30 23125 102"),
    Person("helen@contoso.example", "Helen Wagner", CONTOSO, Role.HELPDESK_AGENT, "+49 30 23125 103"),
    Person("bill@contoso.example", "Bill Hoffmann", CONTOSO, Role.BILLING_ADMIN, "+49 30 23125 104"),
    Person("audrey@contoso.example", "Audrey Koch", CONTOSO, Role.AUDITOR, "+49 30 23125 105"),
    Person(
        "charlie@fabrikam.example", "Charlie Brown", FABRIKAM, Role.ADMIN_AGENT, "+44 20 7946 0101", "Europe/London"
    ),
    Person("sam@northwind.example", "Sam Rivera", OPERATOR, Role.SUPPORT_AGENT, "+1 425 555 0101", "America/New_York"),
    Person("olga@northwind.example", "Olga Lindqvist", OPERATOR, Role.OPERATOR_ADMIN, "+1 425 555 0102", "UTC"),
)


def add_people(seed: int) -> None:
    """Add the organisations, and everybody with the seed's password."""
    partners = {name: add_partner(by=None, name=name, country=land, is_operator=own) for name, land, own in PARTNERS}
    for person in PEOPLE:
        add_user(
            partners[person.partner],
            by=None,
            email=person.email,
            name=person.name,
            roles=[person.role],
            password=person.password(seed),
            temporary=False,
            phone=person.phone,
            time_zone=person.time_zone,
        )


def actor(name: str) -> Actor:
    """One of the people by the name before the @."""
    email = next(person.email for person in PEOPLE if person.email.startswith(f"{name}@"))
    return actor_of(session.scalars(select(User).filter_by(email=email)).one(), address="192.0.2.10")


def operator() -> Partner:
    """The operator's organisation."""
    return session.scalars(select(Partner).filter_by(name=OPERATOR)).one()
