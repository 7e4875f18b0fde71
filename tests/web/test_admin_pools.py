"""A pool's page: its threshold, its quarantine, the deliberate release; and the page on which a key is replaced (B3, D12)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from csp_web.db import session
from csp_web.models import KeyAssignment, KeyPool, KeyState, ProductKey
from tests.support.software_pages import home, keyed, page, press, said
from tests.support.stock import sku_of, stock
from tests.world import World

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

pytestmark = pytest.mark.one_database  # pages; what they ask of the database is tested in the domain on both

OWN = "Windows Server 2025"


@pytest.fixture
def olga(app: Flask, world: World) -> FlaskClient:
    """The operator admin, signed in."""
    return world.sign_in(app, "olga")


@pytest.fixture
def alice(app: Flask, world: World) -> FlaskClient:
    """Contoso's admin agent, signed in."""
    return world.sign_in(app, "alice")


def pool(world: World, count: int = 3) -> str:
    """A pool with so many free keys; its address."""
    stock(sku_of(world), OWN, count)
    return f"/admin/keys/{session.scalars(select(KeyPool.id)).one()}"


def endings(state: KeyState = KeyState.FREE) -> list[str]:
    session.rollback()
    return list(session.scalars(select(ProductKey.last_five).filter_by(state=state).order_by(ProductKey.id)))


def test_b3_the_threshold_is_changed_on_the_pools_page(world: World, olga: FlaskClient) -> None:
    address = pool(world)
    answer = press(olga, olga.get(address), "Save", low_at="3")
    assert page(answer).find("input", id="low_at")["value"] == "3"
    assert "Low" in said(answer)
    for wrong in ("", "some", "-1", "1000001"):
        refused = press(olga, olga.get(address), "Save", low_at=wrong)
        assert refused.status_code == 422
        assert page(refused).find("input", id="low_at")["aria-invalid"] == "true"


def test_b3_keys_go_into_quarantine_and_come_back_on_purpose(world: World, olga: FlaskClient) -> None:
    address, first = pool(world), endings
    doubtful = first()[:2]
    answer = press(olga, olga.get(address), "Put into quarantine", endings=", ".join(doubtful), reason="Misprint?")
    assert "2 keys are in quarantine." in said(answer)
    assert endings(KeyState.QUARANTINED) == doubtful
    release = next(link for link in page(answer).find_all("a") if link.get_text(strip=True) == "Release")
    form = olga.get(release["href"])
    assert "In quarantine because: Misprint?" in said(form)
    assert press(olga, form, "Release", reason="").status_code == 422
    assert "in stock again" in said(press(olga, form, "Release", reason="They are good"))
    assert len(endings()) == 2


def test_b3_what_was_typed_stays_when_an_ending_is_unknown(world: World, olga: FlaskClient) -> None:
    answer = press(olga, olga.get(pool(world)), "Put into quarantine", endings="ZZZZZ", reason="Misprint?")
    assert answer.status_code == 422
    assert "ZZZZZ" in page(answer).find("textarea", id="endings").text
    assert page(answer).find("input", id="reason")["value"] == "Misprint?"


def test_b6_a_key_that_somebody_had_says_why_it_stays(world: World, alice: FlaskClient, olga: FlaskClient) -> None:
    line, key = keyed(world)
    stock(sku_of(world), OWN, 1)
    form = press(
        alice, alice.get(replacement_of(world, alice, line.uuid)), "Replace the key", reason="The installer refuses it"
    )
    assert "There is a new key." in said(form)
    assert "The installer refuses it" in said(form)
    assert key not in form.text
    number = session.scalars(select(KeyPool.id)).one()
    shown = olga.get(f"/admin/keys/{number}")
    assert "A key belongs to one subscription ever." in said(shown)
    quarantined = session.scalars(select(ProductKey.id).filter_by(state=KeyState.QUARANTINED)).one()
    assert "A key belongs to one subscription ever." in said(
        olga.get(f"/admin/keys/{number}/quarantine/{quarantined}/release")
    )


def replacement_of(world: World, alice: FlaskClient, line: object) -> str:
    opened = page(alice.get(f"{home(world)}?open={line}"))
    return str(next(link for link in opened.find_all("a") if link.get_text(strip=True) == "Wrong key?")["href"])


def test_b3_without_stock_the_key_stays_and_the_page_says_so(world: World, alice: FlaskClient) -> None:
    line, _key = keyed(world)
    answer = press(alice, alice.get(replacement_of(world, alice, line.uuid)), "Replace the key", reason="Refused")
    assert answer.status_code == 409
    assert "The line keeps the one that it has." in said(answer)
    assert session.scalars(select(KeyAssignment.revoked_at)).one() is None


def test_d11_no_page_of_the_stock_holds_a_key(world: World, olga: FlaskClient) -> None:
    _line, key = keyed(world)
    number = session.scalars(select(KeyPool.id)).one()
    assert key not in olga.get(f"/admin/keys/{number}").text
