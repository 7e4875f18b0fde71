"""Customers: find, add, edit (R3, R13, D10)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, func, literal_column, select, type_coerce
from sqlalchemy.exc import IntegrityError

from csp_web.db import GuidText, on_sqlite, read, session
from csp_web.domain import audit, once
from csp_web.domain.access.actors import Actor, require
from csp_web.domain.companies.company_names import company_name_problems
from csp_web.domain.companies.countries import (
    address_problems,
    is_country,
    normalize_phone,
    normalize_postal_code,
    normalize_state,
)
from csp_web.domain.paging import Listing, Page
from csp_web.errors import Conflict, Invalid
from csp_web.i18n import gettext as _
from csp_web.identifiers import fold, new_uuid, normalize_domain, parse_guid
from csp_web.models import Customer

COUNTED_UP_TO = 1000
TRIGRAM = 3
_columns = Customer.__table__.c


@dataclass(frozen=True, slots=True)
class CustomerFacts:
    """What a form or a file says of a customer, as it was typed."""

    company_name: str
    domain: str
    country: str
    line1: str = ""
    line2: str = ""
    city: str = ""
    state: str = ""
    postal_code: str = ""
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    phone: str = ""
    language: str = "en"
    registration_number: str = ""

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> CustomerFacts:
        """Take the fields that are a customer's out of a form's data."""
        return cls(**{f.name: str(given.get(f.name) or "") for f in fields(cls) if f.name in given})


def list_customers(actor: Actor, *, text: str = "", cursor: str | None = None) -> Page:
    """A page of the actor's customers by name, or of those that a text is found in, newest first.

    The text may be a part of a name, a domain or a GUID. Rows: sort keys first, then uuid, name, domain, country.
    """
    guid = parse_guid(text)
    wanted = str(guid) if guid else fold(text)
    if not wanted:
        return _BY_NAME.page(cursor, partner=actor.partner_id)
    if len(wanted) < TRIGRAM:
        return _BY_PREFIX.page(cursor, partner=actor.partner_id, low=wanted, high=wanted + "\U0010ffff")
    return Listing(_found(_OF_PARTNER, wanted), (_columns.id,), descending=True).page(cursor, partner=actor.partner_id)


_SHOWN = (type_coerce(_columns.uuid, GuidText).label("uuid"), _columns.company_name, _columns.domain, _columns.country)
_OF_PARTNER = select(_columns.id, *_SHOWN).where(_columns.partner_id == bindparam("partner"))
_NAMED = select(_columns.name_folded, _columns.id, *_SHOWN).where(_columns.partner_id == bindparam("partner"))
_BY_NAME = Listing(_NAMED, (_columns.name_folded, _columns.id))
_BY_PREFIX = Listing(
    _NAMED.where(_columns.name_folded >= bindparam("low"), _columns.name_folded < bindparam("high")),
    (_columns.name_folded, _columns.id),
)


def _found(statement: Select[*tuple[Any, ...]], wanted: str) -> Select[*tuple[Any, ...]]:
    """Every word of at least three letters occurs somewhere; shorter ones only narrow the result."""
    words = wanted.split(" ")
    if on_sqlite():
        long_words = [word for word in words if len(word) >= TRIGRAM] or [wanted]
        phrase = " AND ".join('"' + word.replace('"', '""') + '"' for word in long_words)
        index: ColumnElement[int] = literal_column("customers_fts.rowid")
        matches = select(index).select_from(func.customers_fts(phrase).table_valued("rowid", name="customers_fts"))
        return statement.where(_columns.id.in_(matches), *_contains([w for w in words if len(w) < TRIGRAM]))
    return statement.where(*_contains(words))


def _contains(words: list[str]) -> list[Any]:
    return [_columns.search_text.contains(word, autoescape=True) for word in words if word]


_COUNTED = select(func.count()).select_from(
    select(_columns.id).where(_columns.partner_id == bindparam("partner")).limit(COUNTED_UP_TO + 1).subquery()
)


def customer_ids_with(actor: Actor, wanted: str) -> Select[*tuple[Any, ...]]:
    """The ids of the actor's customers in which a folded text is found: for searches in what customers own."""
    of_partner = select(_columns.id).where(_columns.partner_id == actor.partner_id)
    if len(wanted) < TRIGRAM:
        return of_partner.where(_columns.name_folded >= wanted, _columns.name_folded < wanted + "\U0010ffff")
    return _found(of_partner, wanted)


def count_customers(actor: Actor) -> int:
    """How many customers the partner has, counted up to one more than ``COUNTED_UP_TO``."""
    return int(read(_COUNTED, {"partner": actor.partner_id}).scalar_one())


def add_customer(facts: CustomerFacts, *, by: Actor, token: str, guid: str = "") -> Customer:
    """Add a customer. The same form sent twice is one customer.

    Raises:
        Forbidden: the role may not. Invalid: a field does not fit; a domain or GUID is a customer's already.
    """
    require(by, "customers.add")
    before = once.first_time(token, purpose="add_customer", content={"facts": facts, "guid": guid}, by=by)
    if before is not None:
        return session.get_one(Customer, int(before))
    customer = create_customer(facts, by=by, guid=guid)
    once.done(token, by=by, result=customer.id)
    return customer


def create_customer(facts: CustomerFacts, *, by: Actor, guid: str = "") -> Customer:
    """Write a customer's row: for the form and for imports."""
    values = checked_facts(facts)
    identity = _identity(guid)
    _refuse_duplicates(values, identity, by)
    customer = Customer(uuid=identity, partner_id=by.partner_id, created_by_id=by.id, **values)
    customer.search_text = search_text(customer)
    session.add(customer)
    try:
        session.flush()
    except IntegrityError as error:  # somebody else was quicker
        raise Invalid({"domain": taken_domain()}) from error
    _record_added(customer, by)
    return customer


def create_customers(given: Iterable[tuple[uuid.UUID, CustomerFacts]], *, by: Actor) -> int:
    """Write the rows of several customers at once: for imports, which have looked for duplicates. Returns how many.

    Raises:
        Conflict: somebody added one of them meanwhile.
    """
    made = [
        Customer(uuid=identity, partner_id=by.partner_id, created_by_id=by.id, **checked_facts(facts))
        for identity, facts in given
    ]
    for customer in made:
        customer.search_text = search_text(customer)
    session.add_all(made)
    try:
        session.flush()
    except IntegrityError as error:
        raise Conflict(
            _("Somebody else added some of these customers at the same moment. Nothing was imported."),
            advice=_("Import the file again to see which."),
        ) from error
    for customer in made:
        _record_added(customer, by)
    return len(made)


def _record_added(customer: Customer, by: Actor) -> None:
    audit.record("add_customer", by=by, resource=("customer", customer.uuid), customer=customer, **_told(customer))


def edit_customer(customer: Customer, facts: CustomerFacts, *, by: Actor, version: int) -> Customer:
    """Change a customer.

    Raises:
        Conflict: somebody else changed it since the form was opened; the sentence says what.
        Invalid: a field does not fit.
    """
    require(by, "customers.edit")
    values = checked_facts(facts)
    if customer.version != version:
        raise Conflict(
            _("Somebody else has changed this customer in the meantime."),
            advice=_("It now says: %(values)s. Open the form again to change it.", values=_summary(customer)),
        )
    _refuse_duplicates(values, customer.uuid, by, customer)
    changes = {
        name: [getattr(customer, name), value] for name, value in values.items() if getattr(customer, name) != value
    }
    for name, value in values.items():
        setattr(customer, name, value)
    customer.search_text = search_text(customer)
    session.flush()
    if changes:
        changes.pop("name_folded", None)
        audit.record("edit_customer", by=by, resource=("customer", customer.uuid), customer=customer, changes=changes)
    return customer


def search_text(customer: Customer) -> str:
    """What the search looks through: name, domain and GUID."""
    return f"{customer.name_folded} {customer.domain} {customer.uuid}"


def _identity(guid: str) -> uuid.UUID:
    if not guid.strip():
        return new_uuid()
    identity = parse_guid(guid)
    if identity is None:
        raise Invalid({"guid": _("This is not a GUID. It looks like 45411344-b09d-47e7-9653-542006bf9766.")})
    return identity


def checked_facts(facts: CustomerFacts) -> dict[str, Any]:
    """Every field as it is stored.

    Raises:
        Invalid: a sentence per field. Parts of the address may be left empty; what is given fits the country.
    """
    problems: dict[str, str] = {}
    if names := company_name_problems(facts.company_name):
        problems["company_name"] = names[0]
    try:
        domain = normalize_domain(facts.domain)
    except ValueError as error:
        domain, problems["domain"] = "", str(error)
    given = {n: getattr(facts, n).strip() for n in _ADDRESS}
    found = (
        address_problems(facts.country, **given) if is_country(facts.country) else {"country": _("Choose a country.")}
    )
    problems |= {name: sentence for name, sentence in found.items() if name == "country" or given[name]}
    if problems:
        raise Invalid(problems)
    name = " ".join(facts.company_name.split())
    return {
        **{f.name: getattr(facts, f.name).strip() for f in fields(facts)},
        "company_name": name,
        "name_folded": fold(name),
        "domain": domain,
        "email": facts.email.strip().lower(),
        "state": normalize_state(facts.country, given["state"]) if given["state"] else "",
        "postal_code": normalize_postal_code(facts.country, given["postal_code"]) if given["postal_code"] else "",
        "phone": normalize_phone(given["phone"], facts.country) if given["phone"] else "",
    }


_ADDRESS = ("line1", "city", "state", "postal_code", "phone", "registration_number")


def missing_facts(customer: Customer) -> list[str]:
    """What the customer's country asks for and the records do not have: said on the customer's page, not refused."""
    given = {name: getattr(customer, name) for name in _ADDRESS}
    found = address_problems(customer.country, **given)
    return [sentence for name, sentence in found.items() if not given.get(name, "x")]


def _refuse_duplicates(values: dict[str, Any], identity: uuid.UUID, by: Actor, itself: Customer | None = None) -> None:
    rows = session.execute(
        select(Customer.id, Customer.domain, Customer.company_name).where(
            Customer.partner_id == by.partner_id,
            (Customer.domain == values["domain"]) | (Customer.uuid == identity),
        )
    )
    for row in rows:
        if itself is not None and row.id == itself.id:
            continue
        field, sentence = (
            ("domain", taken_domain(row.company_name))
            if row.domain == values["domain"]
            else ("guid", _known(row.company_name))
        )
        raise Invalid({field: sentence})


def taken_domain(name: str = "") -> str:
    """Why a domain cannot be a customer's; ``name`` is whose it is."""
    return (
        _("%(name)s already has this domain.", name=name) if name else _("A customer with this domain exists already.")
    )


def _known(name: str) -> str:
    return _("%(name)s already has this GUID.", name=name)


def _told(customer: Customer) -> dict[str, Any]:
    return {"company_name": customer.company_name, "domain": customer.domain, "country": customer.country}


def _summary(customer: Customer) -> str:
    shown = (
        customer.company_name,
        customer.domain,
        customer.country,
        customer.postal_code,
        customer.city,
        customer.phone,
    )
    return ", ".join(part for part in shown if part)


__all__ = [
    "COUNTED_UP_TO",
    "CustomerFacts",
    "add_customer",
    "checked_facts",
    "count_customers",
    "create_customer",
    "create_customers",
    "customer_ids_with",
    "edit_customer",
    "list_customers",
    "missing_facts",
    "search_text",
    "taken_domain",
]
