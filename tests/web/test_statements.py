"""What a page asks of the database does not depend on how much there is, and there is a limit for every page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from csp_web.db import select, session
from csp_web.domain.delivery import software
from csp_web.models import Customer, Order, ProductType, Subscription, Ticket
from tests.support.plenty import add_plenty
from tests.support.statements import counted_statements

if TYPE_CHECKING:
    from flask import Flask

    from tests.world import World

pytestmark = pytest.mark.one_database

FEW, MANY = 3, 60
# Who opens what, and at most how many statements that takes; the one that reads the visit is among them.
# Lists are what people wait for most often: a further statement there needs a reason. "part": what htmx asks for.
LIMITS: dict[tuple[str, str], int] = {
    ("alice", "/customers"): 3,
    ("alice", "/customers?q=plenty"): 3,
    ("alice", "/customers/{customer}/software"): 3,
    # The visit, the lines, the views that are kept of the list, what the filters offer; parts need no filters.
    ("alice", "/software"): 4,
    ("alice", "/software?q=server"): 4,
    ("alice", "/software?deadline=7"): 4,
    ("alice", "/software?waiting=1"): 5,  # which lines
    ("alice", "/software?link=14"): 4,
    ("alice", "/software?country=US&product=DG7GMGF06GW3&columns=link&columns=country"): 5,  # which customers
    ("alice", "part /software?q=server"): 3,
    ("alice", "/software/views"): 3,
    ("alice", "/software/views/new?deadline=7"): 3,
    ("alice", "/tickets"): 3,
    ("alice", "/tickets?q=trouble"): 3,
    ("sam", "/tickets"): 3,
    ("alice", "/"): 10,
    ("alice", "/account"): 6,
    ("alice", "/audit"): 4,
    ("alice", "/customers/{customer}"): 8,
    ("alice", "/customers/{customer}/cart"): 10,
    ("alice", "/customers/{customer}/orders"): 5,
    ("alice", "/customers/{customer}/products"): 12,
    ("alice", "/customers/{customer}/reservations"): 5,
    ("alice", "/orders/{order}"): 8,
    ("alice", "/search?q=plenty"): 6,
    ("alice", "/tickets/{ticket}"): 14,
    ("alice", "/users"): 5,
    ("alice", "part /customers/{customer}/software/{line}"): 16,
    ("olga", "/"): 10,
    ("olga", "/admin"): 3,
    ("olga", "/admin/catalogue"): 5,
    ("olga", "/admin/files"): 4,
    ("olga", "/admin/keys"): 7,
    ("olga", "/admin/markets"): 5,
    ("olga", "/admin/outbox"): 4,
    ("olga", "/admin/partners"): 4,
    ("olga", "/admin/partners/{partner}"): 4,
    ("olga", "/admin/policies"): 4,
    ("olga", "/admin/users"): 6,
    ("olga", "/audit"): 4,
    ("sam", "/"): 10,
    ("sam", "/tickets/{ticket}"): 16,
}
SHOW_NO_LIST = {
    "/admin",
    "/admin/partners/{partner}",
    "/admin/policies",
    "/software?link=14",
    "/software/views/new?deadline=7",
}


@dataclass(frozen=True)
class Cost:
    """What one page took and how long it was."""

    statements: int
    length: int


def names(world: World) -> dict[str, Any]:
    """What addresses call the first of everything."""
    software_first = select(Subscription.uuid).filter_by(product_type=ProductType.SOFTWARE_SUBSCRIPTION)
    return {
        "customer": session.get_one(Customer, world.customers["coho"]).uuid,
        "line": session.scalars(software_first.order_by(Subscription.id)).first(),
        "order": session.scalars(select(Order.order_id).order_by(Order.id)).first(),
        "ticket": session.scalars(select(Ticket.number).order_by(Ticket.id)).first(),
        "partner": world.partners["contoso"],
    }


def costs(app: Flask, world: World) -> dict[tuple[str, str], Cost]:
    """Each page, opened a second time: rules in force are read once per process."""
    people = {person: world.sign_in(app, person) for person, _address in LIMITS}
    known, found = names(world), {}
    for person, address in LIMITS:
        path = address.format(**known).removeprefix("part ")
        headers = {"HX-Request": "true"} if address.startswith("part ") else {}
        people[person].get(path, headers=headers)
        with counted_statements() as statements:
            answer = people[person].get(path, headers=headers)
        assert answer.status_code == 200, address
        found[person, address] = Cost(len(statements), len(answer.data))
    return found


def grown(app: Flask, world: World) -> dict[tuple[str, str], tuple[int, int]]:
    """The pages that took another number of statements once there was more; fails where no more was shown."""
    few = costs(app, world)
    add_plenty(world, MANY - FEW)
    many = costs(app, world)
    short = {page for page, cost in few.items() if many[page].length < cost.length + 500}
    assert {address for _person, address in short} <= SHOW_NO_LIST
    return {
        page: (cost.statements, many[page].statements)
        for page, cost in few.items()
        if many[page].statements != cost.statements
    }


def test_no_page_asks_more_of_the_database_for_sixty_rows_than_for_three(app: Flask, world: World) -> None:
    add_plenty(world, FEW)
    assert grown(app, world) == {}
    over = {page: cost.statements for page, cost in costs(app, world).items() if cost.statements > LIMITS[page]}
    assert over == {}


def test_a_statement_per_row_would_be_found(app: Flask, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    as_told = software._as_told

    def with_a_look_at_the_row(row: Any, at: Any) -> software.Line:
        session.scalar(select(Subscription.total).where(Subscription.id == row.id))
        return as_told(row, at)

    monkeypatch.setattr(software, "_as_told", with_a_look_at_the_row)
    for address in [page for page in LIMITS if "software" not in page[1]]:
        monkeypatch.delitem(LIMITS, address)
    add_plenty(world, FEW)
    found = grown(app, world)
    assert found["alice", "/software"] == (4 + FEW, 4 + 50)
