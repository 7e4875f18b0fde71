"""B13: whoever reads Russian meets no English sentence and whoever reads English no Russian one: on every page of
tests/support/site.py, in every role, in refusals, mails, tables and messages; whatever language those spoke who acted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from csp_web import i18n
from csp_web.db import session
from csp_web.domain.upkeep import mail_test
from csp_web.models import OutboxMessage
from tests.i18n.english import LATIN, english_in, unknown_in
from tests.i18n.russian import CYRILLIC, russian_in, typed
from tests.i18n.speakers import NAMES_OF_ROLES, world_of
from tests.i18n.spoken import Form, Spoken
from tests.support.site import PLACES
from tests.world import World

pytestmark = pytest.mark.one_database

NOT_SENT = {"accounts.sign_out", "accounts.sign_out_everywhere", "accounts.end_session", "accounts.language"}


@dataclass
class Reader:
    """People who read one language, and everything of the other one that they met."""

    app: Flask
    world: World
    language: str
    names: dict[str, str]
    data: list[str]
    met: set[str] = field(default_factory=set)
    broken: list[str] = field(default_factory=list)
    clients: dict[str, FlaskClient] = field(default_factory=dict)
    forms: dict[tuple[str, str], Form] = field(default_factory=dict)

    def client(self, role: str) -> FlaskClient:
        """The browser of a role."""
        if role not in self.clients:
            name = NAMES_OF_ROLES.get(role)
            self.clients[role] = self.world.sign_in(self.app, name) if name else self.app.test_client()
        return self.clients[role]

    def get(self, role: str, address: str) -> None:
        """Open a page, as a page and as a part of one."""
        address = address.format(**self.names)
        self.read(role, address, self.client(role).get(address, headers={"Accept-Language": self.language}))

    def send(self, role: str, action: str, values: dict[str, str]) -> None:
        """Send a form, and read what it leads to."""
        answer = self.client(role).post(
            action, data=values, headers={"Accept-Language": self.language}, follow_redirects=True
        )
        self.read(role, action, answer)

    def read(self, role: str, address: str, answer: TestResponse) -> None:
        """Note what is of the other language."""
        where = f"{role} {unquote(urlsplit(address).path)} {answer.status_code}"
        if answer.status_code >= 500:
            self.broken.append(where)
        if answer.mimetype == "text/html":
            page = Spoken(answer.text, self.language)
            self.hear(where, *page.texts)
            for form in page.forms:
                self.forms.setdefault((role, form.action or urlsplit(address).path), form)
        elif answer.mimetype in {"text/csv", "text/plain"}:
            self.hear(where, *answer.text.splitlines())

    def hear(self, where: str, *texts: str) -> None:
        """Note those texts that are of the other language."""
        self.met |= {f"{where}: {text}" for text in texts if self._foreign(text)}

    def _foreign(self, text: str) -> str:
        if self.language == "en":
            return russian_in(text, self.data)
        return english_in(text) or unknown_in(text, self.data)

    def endpoint(self, action: str) -> str:
        """The name of what answers to a form."""
        try:
            return str(self.app.url_map.bind("localhost").match(urlsplit(action).path, method="POST")[0])
        except HTTPException:
            return ""


def walk(reader: Reader) -> None:
    """Every place, then every kind of form on them with nothing filled in, then what is no page."""
    for place in PLACES:
        reader.get(place.role, place.address)
    sent: set[tuple[str, str]] = set()
    for (role, action), form in list(reader.forms.items()):
        kind = (role, reader.endpoint(action))
        if (form.has_fields or action.endswith("/showing")) and kind not in sent and kind[1] not in NOT_SENT:
            sent.add(kind)
            reader.send(role, action, form.hidden)


def tables_and_refusals(reader: Reader) -> None:
    """What no link leads to in these states: exports, a link that was revoked before, the log, what nobody may."""
    reader.get("admin agent", "/customers/{customer}/software/{line}/links/{link}/log.csv")
    token = next(form.hidden for (role, _action), form in reader.forms.items() if role == "admin agent")
    reader.send("admin agent", "/software/export", token)
    reader.send(
        "admin agent", "/customers/{customer}/software/{line}/links/{dead}/revocation".format(**reader.names), token
    )
    for role in ("auditor", "operator admin", "admin agent"):
        reader.get(role, "/audit")
        reader.get(role, "/jobs")


def mails(reader: Reader) -> None:
    """Every mail that was written, and the test mail."""
    with reader.app.app_context():
        for mail in session.scalars(select(OutboxMessage)):
            reader.hear(f"mail to {mail.recipient}", mail.subject, *mail.body.splitlines(), mail.error)
        with i18n.use_place(reader.language):
            test = mail_test._mail(reader.world.actor("olga"))
        reader.hear("test mail", test.subject, *test.body.splitlines())


@pytest.mark.parametrize("language", ["ru", "en"])
def test_b13_no_reader_meets_a_sentence_of_the_other_language(app: Flask, world: World, language: str) -> None:
    names = world_of(world, language)
    reader = Reader(app, world, language, names, typed(LATIN if language == "ru" else CYRILLIC))
    session.remove()
    walk(reader)
    tables_and_refusals(reader)
    mails(reader)
    assert reader.broken == []
    assert not reader.met, "\n".join(sorted(reader.met))


def planted(language: str, page: str, *data: str) -> set[str]:
    """What a reader of a language would note on a page."""
    spoken = Spoken(f"<html lang='{language}'>{page}</html>", language)
    if language == "en":
        return {text for text in spoken.texts if russian_in(text, data)}
    return {text for text in spoken.texts if english_in(text) or unknown_in(text, data)}


@pytest.mark.parametrize(
    ("page", "noted"),
    [
        ("<button title='No customers yet'>×</button>", {"No customers yet"}),
        ("<p>Add the city. Enter the city.</p>", {"Add the city. Enter the city."}),
        ("<p>Осталось: <b>Contoso was added.</b></p>", {"Contoso was added."}),
        ("<svg><title>Never marked</title></svg>", {"Never marked"}),
        ("<input value='Send'><input type='hidden' value='Send'><p data-text='Not yet'></p>", {"Send", "Not yet"}),
        ("<p>Клиенты: This field is required.</p>", {"Клиенты: This field is required."}),
        ("<p>Осталось: 5 файлов Windows Server 2025 Datacenter</p><i>Never typed</i>", {"Never typed"}),
        ("<p lang='en'>No customers yet</p><script>No customers yet</script><b>Typed by Anna</b>", set()),
    ],
)
def test_an_english_text_is_noticed(page: str, noted: set[str]) -> None:
    assert planted("ru", page, "Typed by Anna") == noted


@pytest.mark.parametrize(
    ("page", "noted"),
    [
        ("<p>Customers: Клиент</p>", {"Customers: Клиент"}),
        ("<svg><desc>Заказы</desc></svg><td data-label='Все заказы'></td>", {"Заказы", "Все заказы"}),
        ("<button lang='ru'>Русский</button><p>Русский</p><b>Датум Логистика, 5</b>", set()),
    ],
)
def test_a_russian_text_is_noticed(page: str, noted: set[str]) -> None:
    assert planted("en", page, "Датум Логистика") == noted
