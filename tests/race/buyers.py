"""Buyers: each has a customer with a cart, opens **Review order**, presses **Place order** and looks what came of it.

They speak HTTP to the application itself, with its own engine and transactions, in processes of their own.
"""

from __future__ import annotations

import html
import re
import threading
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import FileSystemBytecodeCache

from csp_web import db
from csp_web.app import create_app
from csp_web.db import session, transaction
from csp_web.models import Cart, CartLine
from tests.race.fault import Fault
from tests.support.crowd import Beginning, Part
from tests.world import World, make_customer

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from csp_web.config import Settings

OPEN, PRESS, LOOK = "open", "press", "look"
GOT, WAITS = "got", "waits"
AGAIN, MOST_PRESSES = " again", 5
# By patterns, for the pages are many: parsing one costs more than the application needs to make it.
_FIELDS = re.compile(r'<input[^>]* name="(version|form_token|seen)"[^>]* value="([^"]*)"')
_STATE = re.compile(r'data-label="Keys"><span><span[^>]*>(?:<svg.*?</svg>)?\s*([A-Za-z ]+)')
_ANSWERS = {"Ready": GOT, "Waiting": WAITS}


def new_buyers(world: World, count: int) -> list[str]:
    """So many customers, each with one line in the cart; their GUIDs."""
    buyers = []
    with transaction():
        offer, alice = world.offer("windows-US"), world.people["alice"]
        for number in range(count):
            customer = make_customer(world.partners["contoso"], f"Buyer {number}")
            cart = Cart(partner_id=customer.partner_id, customer_id=customer.id, modified_by_id=alice, version=1)
            session.add(cart)
            session.flush()
            session.add(
                CartLine(cart_id=cart.id, offer_id=offer.id, quantity=1, unit_price=offer.unit_price, added_by_id=alice)
            )
            buyers.append(str(customer.uuid))
    return buyers


def beginning(world: World, settings: Settings, fault: Fault | None) -> Beginning:
    """What each process of the crowd begins with: an application with an engine of its own, perhaps with a fault planted."""
    db.session.remove()
    db.engine().dispose()
    app = create_app(settings)
    app.jinja_env.bytecode_cache = FileSystemBytecodeCache(str(_new_folder(settings.data_dir / "templates")))

    def begin() -> Part:
        db.configure(settings.database_url)
        if fault is not None:
            fault.plant(app)
        desk = Desk(app, world)
        return lambda task: desk.do(*task)

    return begin


def _new_folder(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path


@dataclass
class Desk:
    """The browsers of one process: one signed-in browser per thread, and the forms that are open."""

    app: Flask
    world: World
    forms: dict[str, dict[str, str]] = field(default_factory=dict)
    own: threading.local = field(default_factory=threading.local)

    def do(self, act: str, buyer: str) -> str:
        """One step of a buyer; what the person sees: ``got``, ``waits``, or a status that has no place here."""
        if act == OPEN:
            return self._open(buyer)
        return self._press(buyer) if act == PRESS else self._look(buyer)

    def _open(self, buyer: str) -> str:
        answer = self._browser.get(f"/customers/{buyer}/cart")
        self.forms[buyer] = {name: html.unescape(value) for name, value in _FIELDS.findall(answer.text)}
        return answer.status

    def _press(self, buyer: str) -> str:
        """**Place order**. Who is told that too many save at the moment presses again, as the page says; with the same form."""
        fields = {**self.forms.pop(buyer), "csrf_token": self._token}
        address, again = f"/customers/{buyer}/cart/order", 0
        while (status := self._browser.post(address, data=fields).status_code) == HTTPStatus.SERVICE_UNAVAILABLE:
            again += 1
            if again == MOST_PRESSES:
                break
        return f"{status}{AGAIN * again}"

    def _look(self, buyer: str) -> str:
        answer = self._browser.get(f"/customers/{buyer}/software")
        states = _STATE.findall(answer.text)
        return ",".join(_ANSWERS.get(state.strip(), state) for state in states) or f"no line ({answer.status_code})"

    @property
    def _browser(self) -> FlaskClient:
        if not hasattr(self.own, "browser"):
            self.own.browser = self.world.sign_in(self.app, "alice")
        return self.own.browser

    @property
    def _token(self) -> str:
        """The token of this browser's forms."""
        if not hasattr(self.own, "token"):
            page = self._browser.get("/customers/new").text
            self.own.token = html.unescape(page.partition('name="csrf_token" value="')[2].partition('"')[0])
        return self.own.token
