"""The names that addresses in tests/support/site.py may hold, looked up in a demo world that is there."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from sqlalchemy import select, text

from csp_web.app import create_app
from csp_web.config import load
from csp_web.db import session
from csp_web.domain.delivery.links import token_of
from csp_web.models import DownloadLink
from tests.support.plain import PlainBrowser
from tests.support.site_jobs import add_jobs
from tests.support.site_uploads import add_uploads

if TYPE_CHECKING:
    from flask import Flask

    from tests.support.live import LiveServer

# One value each, of the demo world as csp_web/demo makes it. ``new`` has bought nothing; ``buyer`` has a full cart.
NAMES = {
    "customer": "SELECT uuid FROM customers WHERE company_name = 'Adventure Works'",
    "buyer": "SELECT uuid FROM customers WHERE company_name = 'Fourth Coffee'",
    "reserved": "SELECT uuid FROM customers WHERE company_name = 'Blue Yonder Airlines'",
    "not_sold": "SELECT uuid FROM customers WHERE company_name = 'Датум Логистика'",
    "new": "SELECT uuid FROM customers WHERE company_name = 'Nothing bought'",
    "order": "SELECT order_id FROM orders WHERE reference = 'AW-1003'",
    "line": "SELECT s.uuid FROM subscriptions s JOIN orders o ON o.id = s.order_id WHERE o.reference = 'AW-1003' "
    "AND s.product_title LIKE 'Windows%'",
    "late": "SELECT s.uuid FROM subscriptions s JOIN orders o ON o.id = s.order_id WHERE o.reference = 'CV-61'",
    "cancelled": "SELECT uuid FROM subscriptions WHERE status = 'cancelled' ORDER BY id",
    "cancelled_of": "SELECT c.uuid FROM customers c JOIN subscriptions s ON s.customer_id = c.id "
    "WHERE s.status = 'cancelled' ORDER BY s.id",
    "waiting": "SELECT s.uuid FROM subscriptions s JOIN key_waits w ON w.subscription_id = s.id ORDER BY w.id",
    "waiting_of": "SELECT c.uuid FROM customers c JOIN subscriptions s ON s.customer_id = c.id "
    "JOIN key_waits w ON w.subscription_id = s.id ORDER BY w.id",
    "ticket": "SELECT number FROM tickets WHERE title = 'Key is not accepted on the second server'",
    "refund": "SELECT t.number FROM tickets t JOIN cancellations c ON c.ticket_id = t.id "
    "WHERE c.state = 'requested' ORDER BY t.id",
    "self": "SELECT id FROM users WHERE email = 'alice@contoso.example'",
    "colleague": "SELECT id FROM users WHERE email = 'bob@contoso.example'",
    "partner": "SELECT id FROM partners WHERE name = 'Contoso Resale'",
    "pool": "SELECT pool_id FROM product_keys WHERE state = 'quarantined' ORDER BY id",
    "quarantined": "SELECT id FROM product_keys WHERE state = 'quarantined' ORDER BY id",
    "assignment": "SELECT a.id FROM key_assignments a JOIN subscriptions s ON s.id = a.subscription_id "
    "JOIN orders o ON o.id = s.order_id WHERE o.reference = 'AW-1003' AND s.product_title LIKE 'Windows%'",
    "link": "SELECT l.id FROM download_links l JOIN subscriptions s ON s.id = l.subscription_id "
    "JOIN orders o ON o.id = s.order_id WHERE o.reference = 'AW-1003' AND s.product_title LIKE 'Windows%' "
    "AND l.revoked_at IS NULL",
    "view": "SELECT id FROM saved_views WHERE query = 'deadline=7'",
    "option": "SELECT id FROM download_options ORDER BY id",
}
LINKS = {"token": "it@customer02.example", "ended": "it@customer05.example"}


def names_of(server: LiveServer) -> dict[str, str]:
    """All of them. The one customer that the demo world lacks, who has bought nothing, is added by its admin agent."""
    app = create_app(load(server.environment))
    with app.app_context():
        lacking = session.execute(text(NAMES["new"])).first() is None
    if lacking:
        _add_customer(app, server)
    with app.app_context():
        found = {name: _written(session.execute(text(query)).scalars().first()) for name, query in NAMES.items()}
        links = {name: session.scalars(select(DownloadLink).filter_by(recipient=to)) for name, to in LINKS.items()}
        jobs, uploads = add_jobs(), add_uploads()
        tokens = {name: token_of(rows.one()) for name, rows in links.items()}
    missing = sorted(name for name, value in found.items() if value is None)
    assert not missing, f"the demo world has no {', '.join(missing)}"
    return {**{name: str(value) for name, value in found.items()}, **tokens, **jobs, **uploads}


def _add_customer(app: Flask, server: LiveServer) -> None:
    alice = server.user("admin agent", "Contoso Resale")
    browser = PlainBrowser(app.test_client()).open("/sign-in")
    browser.fill("E-mail", alice["email"]).fill("Password", alice["password"]).press("Sign in")
    browser.open("/customers/new").fill("Company name", "Nothing bought").fill("Domain", "nothing.example")
    browser.fill("Country", "Germany").press("Save")


def _written(value: object) -> object:
    """Ids as addresses have them: SQLite keeps a GUID without its hyphens."""
    return str(uuid.UUID(value)) if isinstance(value, str) and len(value) == 32 and value.isalnum() else value
