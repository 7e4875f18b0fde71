"""Keys and downloads on the Software page: got, shown, renewed, revoked, refused (R18, R19, R24-R28, R30, B2, B4, D11)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from csp_web.db import now, session, transaction
from csp_web.domain.stock.keys import revoke_keys
from csp_web.domain.upkeep import configured
from csp_web.models import AuditEntry, DownloadLink, KeyAssignment, Subscription, SubscriptionStatus, Transfer
from tests.support.files import OLDER, OWN
from tests.support.software_pages import (
    add_option,
    bought,
    home,
    keyed,
    line_url,
    options_of,
    ordered,
    page,
    press,
    said,
    token_of,
)
from tests.support.stock import sku_of, stock

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from csp_web.config import Settings
    from tests.world import World


@pytest.fixture
def alice(app: Flask, world: World) -> FlaskClient:
    """Contoso's admin agent, signed in."""
    return world.sign_in(app, "alice")


# ---------------------------------------------------------------- get keys and downloads


def test_r24_r25_get_keys_and_downloads_gives_a_link_to_copy_and_a_key(world: World, alice: FlaskClient) -> None:
    add_option(world)
    subscription, _key = keyed(world)
    answer = press(alice, alice.get(f"{home(world)}?open={subscription.uuid}&fitting=1"), "Get keys and downloads")
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
    answer = press(alice, alice.get(f"{home(world)}?open={subscription.uuid}&fitting=1"), "Get keys and downloads")
    file = press(alice, answer, "Download")
    assert file.data == b"the file"
    assert file.headers["ETag"] == f'"{option.sha256}"'


def test_r27_pressing_again_is_a_fresh_link_and_a_double_click_is_not(world: World, alice: FlaskClient) -> None:
    add_option(world)
    subscription, _key = keyed(world)
    choose = alice.get(f"{home(world)}?open={subscription.uuid}&fitting=1")
    press(alice, choose, "Get keys and downloads")
    press(alice, choose, "Get keys and downloads")
    assert session.scalar(select(func.count()).select_from(DownloadLink)) == 1
    again = alice.get(f"{home(world)}?open={subscription.uuid}&fitting=1")
    press(alice, again, "Get keys and downloads")
    alive = select(func.count()).select_from(DownloadLink).where(DownloadLink.revoked_at.is_(None))
    assert session.scalar(alive) == 1
    assert session.scalar(select(func.count()).select_from(DownloadLink)) == 2


def test_p21_a_link_for_another_recipient_keeps_the_first(world: World, alice: FlaskClient) -> None:
    add_option(world)
    subscription, _key = keyed(world)
    made = press(alice, alice.get(f"{home(world)}?open={subscription.uuid}&fitting=1"), "Get keys and downloads")
    answer = press(alice, made, "New link", recipient="anna@coho.example")
    assert "anna@coho.example" in said(answer)
    assert len(page(answer).select("article[id^=link-]")) == 2


def test_a_recipient_that_is_too_long_is_said_beside_the_field_and_kept(world: World, alice: FlaskClient) -> None:
    add_option(world)
    subscription, _key = keyed(world)
    made = press(alice, alice.get(f"{home(world)}?open={subscription.uuid}&fitting=1"), "Get keys and downloads")
    answer = press(alice, made, "New link", recipient="x" * 201)
    assert answer.status_code == 422
    field = page(answer).find("input", attrs={"name": "recipient", "aria-invalid": "true"})
    assert field["value"] == "x" * 201
    assert "At most 200 characters." in said(answer)


def test_b2_revoke_ends_one_link(world: World, alice: FlaskClient) -> None:
    add_option(world)
    subscription, _key = keyed(world)
    made = press(alice, alice.get(f"{home(world)}?open={subscription.uuid}&fitting=1"), "Get keys and downloads")
    address = page(made).find("input", id=re.compile("^address-"))["value"]
    answer = press(alice, made, "Revoke")
    assert "1 link that has ended" in said(answer)
    assert alice.get(address).status_code == 410
    assert address not in answer.text


def test_b6_after_the_secret_was_changed_the_page_says_why_there_is_no_address(
    world: World, alice: FlaskClient, settings: Settings
) -> None:
    add_option(world)
    subscription, _key = keyed(world)
    press(alice, alice.get(f"{home(world)}?open={subscription.uuid}&fitting=1"), "Get keys and downloads")
    configured.configure(replace(settings, secret_key="another secret " * 3))
    answer = alice.get(f"{home(world)}?open={subscription.uuid}")
    assert "the secret of the server was changed" in said(answer)
    assert page(answer).find("input", id=re.compile("^address-")) is None
    assert "Show key" in said(answer)


def test_a_direct_address_for_scripts_is_counted_and_serves(world: World, alice: FlaskClient) -> None:
    add_option(world, content=b"the file")
    subscription, _key = keyed(world)
    made = press(alice, alice.get(f"{home(world)}?open={subscription.uuid}&fitting=1"), "Get keys and downloads")
    answer = press(alice, made, "Direct address for scripts")
    assert "49 downloads left" in said(answer)
    address = page(answer).find("input", id=re.compile("^direct-"))["value"]
    assert alice.get(address).data == b"the file"
    assert session.scalar(select(func.count()).select_from(Transfer)) == 1


def test_d12_a_waiting_line_says_so_and_since_when(world: World, alice: FlaskClient) -> None:
    add_option(world)
    subscription = bought(world)
    answer = press(alice, alice.get(f"{home(world)}?open={subscription.uuid}&fitting=1"), "Get keys and downloads")
    assert "There is no key in stock." in said(answer)
    assert "Waiting" in page(answer).find(id=f"line-{subscription.id}").get_text(" ")
    refused = page(answer).find("button", string="Show key")
    assert refused["aria-disabled"] == "true"
    assert "No key was in stock" in page(answer).find(id=refused["aria-describedby"]).get_text()


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
    assert answer.text.count(key) == 2, "in its place, and on the sheet that is printed"
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
        opened = client.get(f"{home(world)}?open={subscription.uuid}&fitting=1")
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
    answer = alice.get(f"{home(world)}?open={subscription.uuid}&fitting=1")
    text = said(answer)
    assert "Revoked" in page(answer).find(id=f"line-{subscription.id}").get_text(" ")
    assert "Cancelled in ticket 6" in text
    assert "Sam" in text
    assert page(answer).find("s").get_text(strip=True).endswith(key[-5:])
    assert page(answer).find("button", string="Show key") is None  # there is nothing left to show
    assert page(answer).find("button", string="Get keys and downloads")["aria-disabled"] == "true"
