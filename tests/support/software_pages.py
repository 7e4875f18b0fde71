"""What tests of the Software page share: lines and files by their ids, and a look at what a page says."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from bs4 import BeautifulSoup

from csp_web.db import now, session, transaction
from csp_web.domain.stock.keys import hand_out_own_version, import_keys
from csp_web.models import Subscription
from tests.support import files, stock
from tests.support.files import OWN
from tests.support.stock import new_key, row_of, sheet, sku_of
from tests.world import make_subscription

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from tests.world import World


class Line(NamedTuple):
    """A line by its ids: rows do not outlive a request."""

    id: int
    uuid: UUID


class File(NamedTuple):
    """A file by what a page says of it."""

    file_name: str
    sha256: str


def home(world: World, customer: str = "coho") -> str:
    return f"/customers/{world.customer(customer).uuid}/software"


def add_option(world: World, **more: Any) -> File:
    option = files.add_option(world, **more)
    return File(option.file_name, option.sha256)


def bought(world: World, offer: str = "windows-US", **more: Any) -> Line:
    line = stock.bought(world, offer, **more)
    return Line(line.id, line.uuid)


def line_url(subscription: Line, world: World, customer: str = "coho") -> str:
    return f"{home(world, customer)}/{subscription.uuid}"


def ordered(world: World, offer: str = "windows-US", *, ago: timedelta = timedelta(0), count: int = 1) -> Line:
    with transaction():
        for _each in range(count):
            made = make_subscription(
                world.customer("coho"), world.offer(offer), by=world.actor("alice"), ordered_at=now() - ago
            )
        return Line(made.id, made.uuid)


def hand_out(world: World, line: Line) -> None:
    with transaction():
        hand_out_own_version(session.get_one(Subscription, line.id), by=world.actor("bob"))


def keyed(world: World) -> tuple[Line, str]:
    """A line with one key, and that key."""
    key, sku = new_key(), sku_of(world)
    with transaction():
        import_keys(sheet(row_of(sku, OWN, key)), by=None)
    subscription = bought(world)
    hand_out(world, subscription)
    return subscription, key


def page(answer: TestResponse) -> Any:
    """The page, to be looked through; what is missing fails the test by itself."""
    return BeautifulSoup(answer.text, "html.parser")


def said(answer: TestResponse) -> str:
    return " ".join(page(answer).get_text(" ").split())


def token_of(client: FlaskClient, address: str) -> dict[str, str]:
    """The token that forms of a page carry."""
    found = page(client.get(address)).find("input", attrs={"name": "csrf_token"})
    assert found is not None
    return {"csrf_token": str(found["value"])}


def options_of(answer: TestResponse, label: str) -> list[str]:
    soup = page(answer)
    marked = soup.find("label", string=label)
    assert marked is not None, label
    select_box = soup.find("select", id=marked["for"])
    assert select_box is not None
    return [option["value"] for option in select_box.find_all("option")]


def button(answer: TestResponse, words: str) -> dict[str, str]:
    """Where the form of the first button that says this goes, and its hidden fields."""
    found = next(each for each in page(answer).find_all("button") if each.get_text(strip=True) == words)
    form = found.find_parent("form")
    assert form is not None, f"{words} is no form"
    fields = {each["name"]: each.get("value", "") for each in form.find_all("input", type="hidden")}
    return {"action": form["action"], **fields}


def press(client: FlaskClient, answer: TestResponse, words: str, **more: str) -> TestResponse:
    fields = button(answer, words) | more
    return client.post(fields.pop("action"), data=fields, follow_redirects=True)
