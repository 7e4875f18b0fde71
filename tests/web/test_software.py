"""The Software page over plain HTTP: lines, deadlines, Select product, keys and links (R18-R28, B4, B5, P2, P4, P5)."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import func, select

from csp_web.db import now, session, transaction
from csp_web.domain.keys import hand_out_own_version, import_keys, revoke_keys
from csp_web.models import (
    AuditEntry,
    DownloadLink,
    DownloadOption,
    KeyAssignment,
    Subscription,
    SubscriptionStatus,
    Transfer,
)
from tests.support import files
from tests.support import stock as stocking
from tests.support.files import ENGLISH, ISO, OLDER, OWN, RUSSIAN, VHDX
from tests.support.statements import counted_statements
from tests.support.stock import new_key, row_of, sheet, sku_of, stock
from tests.world import World, make_subscription

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse


class Line(NamedTuple):
    """A line by its ids: rows do not outlive a request."""

    id: int
    uuid: UUID


class File(NamedTuple):
    """A file by what a page says of it."""

    file_name: str
    sha256: str


@pytest.fixture
def alice(app: Flask, world: World) -> FlaskClient:
    """Contoso's admin agent, signed in."""
    return world.sign_in(app, "alice")


def home(world: World, customer: str = "coho") -> str:
    return f"/customers/{world.customer(customer).uuid}/software"


def add_option(world: World, **more: Any) -> File:
    option = files.add_option(world, **more)
    return File(option.file_name, option.sha256)


def bought(world: World, offer: str = "windows-US", **more: Any) -> Line:
    line = stocking.bought(world, offer, **more)
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


# ---------------------------------------------------------------- the list


def test_r20_all_software_of_the_customer_and_nothing_else(world: World, alice: FlaskClient) -> None:
    for offer in ("windows-US", "sql-US", "cal-US", "reservation-US"):
        ordered(world, offer)
    bought(world, "windows-RU", customer="datum")
    rows = page(alice.get(home(world))).select("tbody tr[id^=line-]")
    assert len(rows) == 3
    assert page(alice.get(home(world))).h1.get_text(strip=True) == "Software"


def test_an_empty_list_says_what_belongs_here(world: World, alice: FlaskClient) -> None:
    assert "No software yet" in said(alice.get(home(world)))


def test_b5_one_second_before_the_end_cancel_is_there_at_the_end_the_date(world: World, alice: FlaskClient) -> None:
    inside = ordered(world, ago=timedelta(days=60) - timedelta(minutes=5))
    outside = ordered(world, ago=timedelta(days=60))
    soup = page(alice.get(home(world)))
    left, over = (soup.find(id=f"line-{each.id}") for each in (inside, outside))
    assert left is not None
    assert over is not None
    assert left.find("a", string="Cancel")["href"] == f"/tickets/new?subscription={inside.uuid}"
    assert "0 hours 4 minutes left" in left.get_text(" ") or "0 hours 5 minutes left" in left.get_text(" ")
    assert over.find("a", string="Cancel") is None
    assert "Ended" in over.get_text(" ")


@pytest.mark.parametrize("person", ["bob", "helen", "audrey"])
def test_r31_p2_others_see_cancel_with_the_role_that_may(app: Flask, world: World, person: str) -> None:
    ordered(world)
    soup = page(world.sign_in(app, person).get(home(world)))
    refused = soup.find("button", string="Cancel")
    assert refused is not None
    assert refused["aria-disabled"] == "true"
    assert "Admin agent" in refused["title"]


def test_a_page_holds_fifty_lines_and_its_statements_do_not_grow(world: World, alice: FlaskClient) -> None:
    ordered(world)
    with counted_statements() as few:
        alice.get(home(world))
    ordered(world, count=70)
    with counted_statements() as many:
        first = alice.get(home(world))
    assert len(page(first).select("tr[id^=line-]")) == 50
    assert len(many) == len(few) <= 8
    second = alice.get(page(first).find("a", rel="next")["href"])
    assert len(page(second).select("tr[id^=line-]")) == 21


def test_p5_a_link_to_one_line_shows_it_wherever_it_stands(world: World, alice: FlaskClient) -> None:
    oldest = ordered(world)
    ordered(world, count=60)
    answer = alice.get(f"{home(world)}?open={oldest.uuid}")
    assert page(answer).find(id=f"opened-{oldest.id}").find("h2") is not None
    redirected = alice.get(line_url(oldest, world))
    assert redirected.status_code == 303
    assert redirected.headers["Location"].endswith(f"?open={oldest.uuid}#line-{oldest.id}")


@pytest.mark.parametrize("stale", ["00000000-0000-4000-8000-000000000000", "nonsense", ""])
def test_a_stale_address_is_not_found(world: World, alice: FlaskClient, stale: str) -> None:
    assert alice.get(f"{home(world)}?open={stale}").status_code == 404


def test_a_line_of_another_customer_is_not_found(world: World, alice: FlaskClient) -> None:
    other = bought(world, "windows-RU", customer="datum")
    assert alice.get(f"{home(world)}?open={other.uuid}").status_code == 404
    assert alice.get(line_url(other, world)).status_code == 404


# ---------------------------------------------------------------- select product


def test_r22_only_combinations_that_exist_each_choice_narrows_the_next(world: World, alice: FlaskClient) -> None:
    for version, language, kind in ((OWN, ENGLISH, ISO), (OWN, RUSSIAN, VHDX), (OLDER, ENGLISH, VHDX)):
        add_option(world, version=version, language=language, file_type=kind)
    address = f"{home(world)}?open={bought(world).uuid}"
    first = alice.get(address)
    assert options_of(first, "Version") == [OWN, OLDER]
    assert options_of(first, "Language") == ["", ENGLISH, RUSSIAN]
    assert options_of(first, "File type/OS") == ["", ISO, VHDX]
    russian = alice.get(f"{address}&version={OWN}&language={RUSSIAN}&file_type={ISO}")
    assert options_of(russian, "File type/OS") == ["", VHDX]
    older = alice.get(f"{address}&version={OLDER}&language={RUSSIAN}&file_type={ISO}")
    assert options_of(older, "Language") == ["", ENGLISH]


def test_r22_choosing_sends_a_fragment_to_htmx_alone(world: World, alice: FlaskClient) -> None:
    add_option(world)
    subscription = bought(world)
    fragment = alice.get(line_url(subscription, world), headers={"HX-Request": "true"})
    assert fragment.text.lstrip().startswith(f'<tr id="opened-{subscription.id}"')
    assert "<html" not in fragment.text
    closed = alice.get(f"{line_url(subscription, world)}?close=1", headers={"HX-Request": "true"})
    assert closed.text.strip().endswith(f'<tr id="opened-{subscription.id}" hidden></tr>')


def test_r23_submit_lists_what_fits_with_size_sum_and_stock(world: World, alice: FlaskClient) -> None:
    option = add_option(world)
    add_option(world, language=RUSSIAN, name="other.iso")
    address = f"{home(world)}?open={bought(world).uuid}"
    assert "Matching products" not in said(alice.get(address))
    text = said(alice.get(f"{address}&matches=1&language={ENGLISH}"))
    assert option.file_name in text
    assert option.sha256 in text
    assert "other.iso" not in text
    assert "No key in stock" in text
    stock(sku_of(world), OWN, 1)
    assert "Key in stock" in said(alice.get(f"{address}&matches=1"))


def test_r22_withdrawn_files_are_not_offered(world: World, alice: FlaskClient) -> None:
    add_option(world)
    with transaction():
        option = session.scalars(select(DownloadOption)).one()
        option.withdrawn_at, option.withdrawn_reason = now(), "a fault"
    answer = alice.get(f"{home(world)}?open={bought(world).uuid}&matches=1")
    assert page(answer).find("legend") is None


# ---------------------------------------------------------------- get keys and downloads


def test_r24_r25_get_keys_and_downloads_gives_a_link_to_copy_and_a_key(world: World, alice: FlaskClient) -> None:
    add_option(world)
    subscription, _key = keyed(world)
    answer = press(alice, alice.get(f"{home(world)}?open={subscription.uuid}&matches=1"), "Get keys and downloads")
    assert answer.status_code == 200
    text = said(answer)
    assert "50 downloads left" in text
    assert "13 days 23 hours left" in text
    address = page(answer).find("input", id=re.compile("^address-"))
    assert address["value"].startswith("http://localhost/d/")
    assert (
        page(answer).find("button", attrs={"data-copy-from": f"#{address['id']}"}).get_text(strip=True) == "Copy link"
    )
    assert alice.get(address["value"]).status_code == 200


def test_r25_download_starts_the_download(world: World, alice: FlaskClient) -> None:
    option = add_option(world, content=b"the file")
    subscription, _key = keyed(world)
    answer = press(alice, alice.get(f"{home(world)}?open={subscription.uuid}&matches=1"), "Get keys and downloads")
    file = press(alice, answer, "Download")
    assert file.data == b"the file"
    assert file.headers["ETag"] == f'"{option.sha256}"'


def test_r27_pressing_again_is_a_fresh_link_and_a_double_click_is_not(world: World, alice: FlaskClient) -> None:
    add_option(world)
    subscription, _key = keyed(world)
    choose = alice.get(f"{home(world)}?open={subscription.uuid}&matches=1")
    press(alice, choose, "Get keys and downloads")
    press(alice, choose, "Get keys and downloads")
    assert session.scalar(select(func.count()).select_from(DownloadLink)) == 1
    again = alice.get(f"{home(world)}?open={subscription.uuid}&matches=1")
    press(alice, again, "Get keys and downloads")
    alive = select(func.count()).select_from(DownloadLink).where(DownloadLink.revoked_at.is_(None))
    assert session.scalar(alive) == 1
    assert session.scalar(select(func.count()).select_from(DownloadLink)) == 2


def test_p21_a_link_for_another_recipient_keeps_the_first(world: World, alice: FlaskClient) -> None:
    add_option(world)
    subscription, _key = keyed(world)
    made = press(alice, alice.get(f"{home(world)}?open={subscription.uuid}&matches=1"), "Get keys and downloads")
    answer = press(alice, made, "New link", recipient="anna@coho.example")
    assert "anna@coho.example" in said(answer)
    assert len(page(answer).select("article[id^=link-]")) == 2


def test_a_recipient_that_is_too_long_is_said_beside_the_field_and_kept(world: World, alice: FlaskClient) -> None:
    add_option(world)
    subscription, _key = keyed(world)
    made = press(alice, alice.get(f"{home(world)}?open={subscription.uuid}&matches=1"), "Get keys and downloads")
    answer = press(alice, made, "New link", recipient="x" * 201)
    assert answer.status_code == 422
    field = page(answer).find("input", attrs={"name": "recipient", "aria-invalid": "true"})
    assert field["value"] == "x" * 201
    assert "At most 200 characters." in said(answer)


def test_b2_revoke_ends_one_link(world: World, alice: FlaskClient) -> None:
    add_option(world)
    subscription, _key = keyed(world)
    made = press(alice, alice.get(f"{home(world)}?open={subscription.uuid}&matches=1"), "Get keys and downloads")
    address = page(made).find("input", id=re.compile("^address-"))["value"]
    answer = press(alice, made, "Revoke")
    assert "1 link that has ended" in said(answer)
    assert alice.get(address).status_code == 410
    assert address not in answer.text


def test_a_direct_address_for_scripts_is_counted_and_serves(world: World, alice: FlaskClient) -> None:
    add_option(world, content=b"the file")
    subscription, _key = keyed(world)
    made = press(alice, alice.get(f"{home(world)}?open={subscription.uuid}&matches=1"), "Get keys and downloads")
    answer = press(alice, made, "Direct address for scripts")
    assert "49 downloads left" in said(answer)
    address = page(answer).find("input", id=re.compile("^direct-"))["value"]
    assert alice.get(address).data == b"the file"
    assert session.scalar(select(func.count()).select_from(Transfer)) == 1


def test_d12_a_waiting_line_says_so_and_since_when(world: World, alice: FlaskClient) -> None:
    add_option(world)
    subscription = bought(world)
    answer = press(alice, alice.get(f"{home(world)}?open={subscription.uuid}&matches=1"), "Get keys and downloads")
    assert "There is no key in stock." in said(answer)
    assert "Waiting" in page(answer).find(id=f"line-{subscription.id}").get_text(" ")
    assert "Show key" not in said(answer)


def test_client_access_licences_have_keys_and_no_files(world: World, alice: FlaskClient) -> None:
    stock(sku_of(world, "cal-US"), OLDER, 1)
    subscription = ordered(world, "cal-US")
    opened = alice.get(f"{home(world)}?open={subscription.uuid}")
    assert page(opened).find("legend") is None
    assert options_of(opened, "Version") == [OWN, OLDER]
    answer = press(alice, opened, "Get keys", version=OLDER)
    assert "The key is ready." in said(answer)
    assert press(alice, opened, "Get keys", version="Windows 3.11").status_code == 404


# ---------------------------------------------------------------- keys


def test_r18_b4_show_key_shows_it_once_masked_everywhere_else(world: World, alice: FlaskClient) -> None:
    subscription, key = keyed(world)
    opened = alice.get(f"{home(world)}?open={subscription.uuid}")
    assert key not in opened.text
    assert key[-5:] in opened.text
    answer = press(alice, opened, "Show key")
    assert answer.text.count(key) == 1
    assert page(answer).find("div", attrs={"data-auto-hide": True}).find("code").get_text() == key
    assert answer.headers["Cache-Control"] == "no-store"
    for address in (home(world), f"{home(world)}?open={subscription.uuid}", "/software", "/audit"):
        assert key not in alice.get(address).text


def test_d11_the_log_says_who_saw_it(world: World, alice: FlaskClient) -> None:
    subscription, key = keyed(world)
    press(alice, alice.get(f"{home(world)}?open={subscription.uuid}"), "Show key")
    entry = session.scalars(select(AuditEntry).order_by(AuditEntry.seq.desc())).first()
    assert entry is not None
    assert (entry.operation, entry.actor_email) == ("show_key", "alice@contoso.example")
    assert key not in str(entry.details)


def test_d11_a_key_that_cannot_be_logged_is_not_shown(
    world: World, alice: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscription, key = keyed(world)
    opened = alice.get(f"{home(world)}?open={subscription.uuid}")

    def broken(entry: object) -> None:
        raise OSError("no log")

    monkeypatch.setattr("csp_web.domain.audit._append", broken)
    answer = press(alice, opened, "Show key")
    assert answer.status_code == 500
    assert key not in answer.text


def test_r19_every_act_with_keys_is_refused_to_others_and_names_the_role(app: Flask, world: World) -> None:
    add_option(world)
    subscription, key = keyed(world)
    assignment = session.scalars(select(KeyAssignment.id)).one()
    base = line_url(subscription, world)
    for person in ("bob", "helen", "audrey"):
        client = world.sign_in(app, person)
        opened = client.get(f"{home(world)}?open={subscription.uuid}&matches=1")
        assert key not in opened.text
        refused = {each.get_text(strip=True) for each in page(opened).select("button[aria-disabled=true]")}
        assert {"Get keys and downloads", "Show key"} <= refused
        token = token_of(client, f"{home(world)}?open={subscription.uuid}")
        for address in (f"{base}/links", f"{base}/keys", f"{base}/keys/{assignment}/showing"):
            answer = client.post(address, data=token)
            assert answer.status_code == 403
            assert "Admin agent" in answer.text


def test_billing_people_do_not_see_the_page(app: Flask, world: World) -> None:
    assert world.sign_in(app, "bill").get(home(world)).status_code == 403


def test_s1_strangers_find_nothing_in_any_method(app: Flask, world: World) -> None:
    add_option(world)
    subscription, _key = keyed(world)
    charlie, base = world.sign_in(app, "charlie"), line_url(subscription, world)
    addresses = ["", "/links", "/keys", "/keys/1/showing", "/links/1/revocation", "/links/1/transfers"]
    statuses = {charlie.get(f"{base}{address}").status_code for address in addresses}
    statuses |= {charlie.post(f"{base}{address}").status_code for address in addresses[1:]}
    assert statuses <= {404, 405}
    assert charlie.get(home(world)).status_code == 404
    assert charlie.get(f"{home(world, 'tailspin')}?open={subscription.uuid}").status_code == 404


def test_r30_b6_a_cancelled_line_stays_with_its_revoked_key_and_why(world: World, alice: FlaskClient) -> None:
    add_option(world)
    subscription, key = keyed(world)
    with transaction():
        row = session.get_one(Subscription, subscription.id)
        revoke_keys(row, by=world.actor("sam"), reason="Cancelled in ticket 6")
        row.status, row.cancelled_at = SubscriptionStatus.CANCELLED, now()
    answer = alice.get(f"{home(world)}?open={subscription.uuid}&matches=1")
    text = said(answer)
    assert "Revoked" in page(answer).find(id=f"line-{subscription.id}").get_text(" ")
    assert "Cancelled in ticket 6" in text
    assert "Sam" in text
    assert page(answer).find("s").get_text(strip=True).endswith(key[-5:])
    assert page(answer).find("button", string="Show key") is None
    assert page(answer).find("button", string="Get keys and downloads")["aria-disabled"] == "true"


# ---------------------------------------------------------------- all customers


def test_b7_one_list_of_all_customers_of_the_partner(world: World, alice: FlaskClient) -> None:
    ordered(world)
    bought(world, "sql-RU", customer="datum")
    bought(world, "sql-DE", customer="tailspin", by="charlie")
    rows = page(alice.get("/software")).select("tr[id^=line-]")
    assert {row.select("td a")[0].get_text() for row in rows} == {"Coho", "Datum"}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("q=datum", {"sql"}),
        ("q=SQL", {"sql"}),
        ("q=no%00such", set()),
        ("q=%25", set()),
        ("family=windows_server", {"new", "old"}),
        ("family=nonsense", {"new", "old", "sql"}),
        ("deadline=7", {"old"}),
        ("deadline=30", {"old"}),
        ("deadline=x", {"new", "old", "sql"}),
        ("waiting=1", {"sql"}),
        ("waiting=1&family=windows_server", set()),
    ],
)
def test_b7_the_list_narrows(world: World, alice: FlaskClient, query: str, expected: set[str]) -> None:
    lines = {"new": ordered(world), "old": ordered(world, ago=timedelta(days=58))}
    lines["sql"] = bought(world, "sql-RU", customer="datum")
    hand_out(world, lines["sql"])
    rows = page(alice.get(f"/software?{query}")).select("tr[id^=line-]")
    names = {str(each.id): name for name, each in lines.items()}
    assert {names[row["id"].removeprefix("line-")] for row in rows} == expected


def test_d10_any_identifier_finds_its_line(world: World, alice: FlaskClient) -> None:
    ordered(world)
    line = session.get_one(Subscription, bought(world, "windows-RU", customer="datum").id)
    number, order, customer = line.id, line.order, line.customer
    words = [line.uuid, order.order_id, order.alternate_id.upper(), customer.uuid, customer.domain]
    for text in words:
        rows = page(alice.get(f"/software?q={text}")).select("tr[id^=line-]")
        assert [row["id"] for row in rows] == [f"line-{number}"], text


def test_the_deadline_list_begins_with_the_soonest_and_pages(world: World, alice: FlaskClient) -> None:
    for days in range(1, 55):
        ordered(world, ago=timedelta(days=60 - days * 0.25))
    first = alice.get("/software?deadline=14")
    ids = [row["id"] for row in page(first).select("tr[id^=line-]")]
    assert len(ids) == 50
    second = alice.get(page(first).find("a", rel="next")["href"])
    rest = [row["id"] for row in page(second).select("tr[id^=line-]")]
    assert [int(each.removeprefix("line-")) for each in ids + rest] == list(range(1, 55))


def test_statements_of_the_whole_list_do_not_grow(world: World, alice: FlaskClient) -> None:
    ordered(world)
    with counted_statements() as few:
        alice.get("/software")
    ordered(world, count=60)
    with counted_statements() as many:
        alice.get("/software")
    assert len(many) == len(few) <= 7


@pytest.mark.parametrize(
    "cursor", ["x", "W10", "WzAsMV0", "WzAsIm5vIl0", "%00", "WzAsIjIwMjYtMDEtMDFUMDA6MDA6MDAiLDFd"]
)
def test_a_broken_cursor_is_no_error(world: World, alice: FlaskClient, cursor: str) -> None:
    ordered(world)
    for address in (f"{home(world)}?page={cursor}", f"/software?page={cursor}", f"/software?deadline=30&page={cursor}"):
        assert alice.get(address).status_code == 200


@pytest.mark.parametrize("more", ["_external=1", "_scheme=evil", "_anchor=x", "_method=POST", "customer=1"])
def test_fields_of_the_address_cannot_steer_the_links_of_the_page(world: World, alice: FlaskClient, more: str) -> None:
    ordered(world, count=51)
    assert alice.get(f"/software?{more}").status_code == 200
    answer = alice.get(f"{line_url(bought(world), world)}?{more}")
    assert answer.headers["Location"].startswith("/customers/")
