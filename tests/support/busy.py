"""The demo world as it is after some years: lists that fill a page of fifty rows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sqlalchemy import inspect, select, update

from csp_web.app import create_app
from csp_web.config import load
from csp_web.db import session, transaction
from csp_web.models import Customer, Order, Subscription, Ticket

if TYPE_CHECKING:
    from tests.support.live import LiveServer

CUSTOMERS, TICKETS = 60, 60
BUSIEST = "Adventure Works"  # has software of ten more customers, some sixty lines
MERGED = 10


def fill_busy(server: LiveServer) -> None:
    """Set the installation up with the demo world and more of everything than a page shows."""
    server.command("init")
    server.users = json.loads(server.command("demo", "--customers", str(CUSTOMERS), "--json"))["users"]
    app = create_app(load(server.environment))
    with app.app_context(), transaction():
        _merge_customers()
        _copy_tickets()


def _merge_customers() -> None:
    busiest = session.scalars(select(Customer).filter_by(company_name=BUSIEST)).one()
    newest = select(Customer.id).filter_by(partner_id=busiest.partner_id).order_by(Customer.id.desc()).limit(MERGED)
    given_up = list(session.scalars(newest))
    for model in (Order, Subscription):
        session.execute(update(model).where(model.customer_id.in_(given_up)).values(customer_id=busiest.id))


def _copy_tickets() -> None:
    line = session.scalars(select(Subscription).order_by(Subscription.id)).first()
    first = session.scalars(select(Ticket).order_by(Ticket.id)).first()
    assert line is not None
    assert first is not None
    same = {column.key: getattr(first, column.key) for column in inspect(Ticket).column_attrs}
    of_line = {"id": None, "subscription_id": line.id, "customer_id": line.customer_id, "partner_id": line.partner_id}
    for number in range(TICKETS):
        text = f"The setup of server {number} stops"
        session.add(Ticket(**{**same, **of_line, "number": f"8{number:014}", "title": text, "search_text": None}))
