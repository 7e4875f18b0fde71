"""B13: somebody who reads Russian meets no English sentence on any page, in any role, in any refusal."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from bs4 import BeautifulSoup, Tag
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from csp_web import db, i18n
from csp_web.db import session, transaction
from csp_web.domain.carts import add_line
from csp_web.domain.installation import install_rules
from csp_web.domain.keys import hand_out_own_version
from csp_web.domain.links import get_keys_and_downloads, revoke_link
from csp_web.models import DownloadLink, DownloadOption, Subscription, User
from csp_web.web.gate import SIGNED_IN
from tests.i18n.english import english_in, said
from tests.support import tickets
from tests.support.files import add_option
from tests.support.stock import bought, sku_of, stock
from tests.world import World

pytestmark = pytest.mark.one_database

SAME_PAGE = 4  # so many pages of a kind are read: they show different states
NO_PAGES = {"assets.favicon", "assets.file", "probes.healthz", "probes.readyz", "probes.metrics", "tickets.download"}
NOT_SENT = {"accounts.sign_out", "accounts.sign_out_everywhere", "accounts.end_session", "accounts.language"}


@pytest.fixture
def russian_world(app: Flask, world: World) -> World:
    """Lines in every state, keys, links, requests and refusals, all made by people who speak Russian."""
    with i18n.use_place("ru"):
        with transaction():
            session.execute(update(User).values(language="ru"))
            install_rules()
        tickets.install_types()
        option = add_option(world)
        stock(sku_of(world), "Windows Server 2025", 3)
        _hand_over(world, bought(world).id, option.id)
        waiting = bought(world, "sql-US").id
        with transaction():
            hand_out_own_version(session.get_one(Subscription, waiting), by=world.actor("alice"))
        bought(world, "reservation-US")
        with transaction():
            for offer in ("windows-RU", "sql-RU"):
                add_line(
                    world.customer("datum"), world.offer(offer), 2, by=world.actor("alice"), token=tickets.new_token()
                )
        _tickets(world)
    return world


def _hand_over(world: World, line: int, option: int) -> None:
    for recipient in ("", "Анна"):
        with transaction():
            file = session.get_one(DownloadOption, option)
            get_keys_and_downloads(
                session.get_one(Subscription, line), file, by=world.actor("alice"), recipient=recipient
            )
    with transaction():
        revoke_link(session.get_one(DownloadLink, 2), by=world.actor("alice"))


def _tickets(world: World) -> None:
    """A line whose window is over, a cancellation asked for, one that was approved, and a request without money."""
    tickets.line_of(world)
    now = db.now()
    asked, approved = tickets.line_of(world, at=now), tickets.line_of(world, at=now)
    tickets.file_refund(world, asked, at=now, title="Просьба", description="Прошу отменить")
    tickets.approve_ticket(world, tickets.file_refund(world, approved, at=now), by="sam", note="Хорошо")
    tickets.file_ticket(world, tickets.other_details(title="Ошибка"), by="bob", at=now)


@dataclass
class Reader:
    """One person's browser, which follows every link and remembers English sentences and forms."""

    app: Flask
    client: FlaskClient
    english: set[str] = field(default_factory=set)
    broken: list[str] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)
    forms: dict[str, dict[str, str]] = field(default_factory=dict)

    def walk(self, *start: str) -> None:
        """Read every page that links lead to, some of each kind."""
        waiting, known = deque(start), set(start)
        while waiting:
            address = waiting.popleft()
            for link in self.read(address, self.client.get(address, headers={"Accept-Language": "ru"})):
                endpoint = self.endpoint(link)
                kind = f"{endpoint}?{','.join(sorted(re.findall(r'([a-z_]+)=', urlsplit(link).query)))}"
                if endpoint and link not in known and self.seen[kind] < SAME_PAGE:
                    self.seen[kind] += 1
                    known.add(link)
                    waiting.append(link)

    def read(self, address: str, answer: TestResponse) -> Iterator[str]:
        """Note what is English; gives the links of the page."""
        if answer.status_code >= 500:
            self.broken.append(f"{address}: {answer.status_code}")
        if answer.mimetype != "text/html":
            return
        self.seen[self.endpoint(address)] += 1
        self.english |= {f"{address}: {text}" for text in map(english_in, said(answer.text)) if text}
        page = BeautifulSoup(answer.text, "html.parser")
        for form in page.find_all("form", method="post"):
            self._note(form, address)
        for tag in page.find_all(["a", "tr", "form", "button"]):
            for name in ("href", "hx-get"):
                target = str(tag.get(name, "")).partition("#")[0]
                if target.startswith("/"):
                    yield target

    def _note(self, form: Tag, address: str) -> None:
        action = str(form.get("action") or address)
        controls = form.find_all(["input", "select", "textarea"])
        if (
            any(control.get("type") != "hidden" for control in controls)
            and self.endpoint(action, "POST") not in NOT_SENT
        ):
            hidden = {
                str(c["name"]): str(c.get("value", "")) for c in controls if c.get("type") == "hidden" and c.get("name")
            }
            self.forms.setdefault(action, hidden)

    def send_empty_forms(self) -> None:
        """Send every form with nothing filled in, and read the answer."""
        for action, hidden in list(self.forms.items()):
            answer = self.client.post(action, data=hidden, headers={"Accept-Language": "ru"}, follow_redirects=True)
            for _link in self.read(action, answer):
                pass

    def endpoint(self, address: str, method: str = "GET") -> str:
        """The name of what answers at an address; empty if nothing does."""
        try:
            return str(self.app.url_map.bind("localhost").match(urlsplit(address).path, method=method)[0])
        except HTTPException:
            return ""


def read_as(app: Flask, world: World, name: str) -> Reader:
    """Everything that a person of the world can reach, and the answers to empty forms."""
    reader = Reader(app, world.sign_in(app, name))
    reader.walk(
        "/", "/nowhere", "/search?q=nothing", "/customers?q=nothing", "/software?q=nothing", "/tickets?q=nothing"
    )
    reader.send_empty_forms()
    return reader


@pytest.mark.parametrize("name", ["alice", "bob", "audrey", "sam", "olga"])
def test_b13_no_english_sentence_is_left_for_people_who_read_russian(
    app: Flask, russian_world: World, name: str
) -> None:
    reader = read_as(app, russian_world, name)
    assert (sorted(reader.english), reader.broken) == ([], [])
    assert pages_for(app, russian_world, name) - set(reader.seen) == set(), "no link leads there"


def pages_for(app: Flask, world: World, name: str) -> set[str]:
    """The endpoints of pages that a person's roles open."""
    with app.app_context():
        actor = world.actor(name)
    endpoints = {rule.endpoint for rule in app.url_map.iter_rules() if "GET" in (rule.methods or set())} - NO_PAGES
    needs = {endpoint: getattr(app.view_functions[endpoint], "_permission", None) for endpoint in endpoints}
    return {name for name, need in needs.items() if need == SIGNED_IN or any(map(actor.may, listed(need)))}


def listed(need: Any) -> tuple[str, ...]:
    """The permissions of which an endpoint needs one."""
    return need if isinstance(need, tuple) else ()


def test_strangers_are_spoken_to_in_the_language_of_their_browser(app: Flask, russian_world: World) -> None:
    reader = Reader(app, app.test_client())
    reader.walk("/sign-in", "/nowhere", "/d/no-such-link")
    reader.send_empty_forms()
    assert (sorted(reader.english), reader.broken) == ([], [])


def test_an_english_sentence_is_noticed() -> None:
    page = "<p lang='ru'>Клиенты</p><button title='No customers yet'>×</button><p>Add the city. Enter the city.</p>"
    assert [text for text in map(english_in, said(page)) if text] == [
        "Add the city. Enter the city.",
        "No customers yet",
    ]
    assert english_in("Осталось: 5 файлов Windows Server 2025 Datacenter") == ""
    assert english_in("This field is required.") == "This field is required."
    assert english_in("Contoso was added.") == "Contoso was added."
