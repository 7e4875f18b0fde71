"""Saved views: the filters of the list of all software under a name, one's own or shared (B7, S-1)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from csp_web.blueprints.software import views as pages
from csp_web.db import select, session, transaction
from csp_web.domain import audit
from csp_web.domain.delivery import saved_views
from csp_web.domain.delivery.saved_views import save_view
from csp_web.errors import Conflict, Invalid, Refused
from csp_web.models import AuditEntry, SavedView
from tests.support.plain import PlainBrowser
from tests.support.software_pages import ordered, page, said
from tests.support.stock import new_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask
    from werkzeug.test import TestResponse

    from tests.world import World


@pytest.fixture
def alice(app: Flask, world: World) -> PlainBrowser:
    """Contoso's admin agent, without scripts."""
    ordered(world)
    return PlainBrowser(world.sign_in(app, "alice"))


def got(browser: PlainBrowser) -> TestResponse:
    """What it shows now."""
    assert browser.answer is not None
    return browser.answer


def kept(browser: PlainBrowser) -> list[tuple[str, str]]:
    """The views above the list: name and address."""
    links = page(browser.client.get("/software")).select("nav.kept-views ul a")
    return [(link.get_text(strip=True), link["href"]) for link in links][1:]


def operations() -> list[str]:
    session.rollback()
    return list(session.scalars(select(AuditEntry.operation).order_by(AuditEntry.seq)))


def a_view(world: World, who: str = "alice", name: str = "Mine", *, shared: bool = False, query: str = "link=7") -> int:
    with transaction():
        return save_view(name, query, by=world.actor(who), shared=shared).id


# ---------------------------------------------------------------- one's own


def test_b7_what_is_looked_at_becomes_a_link_above_the_list(alice: PlainBrowser) -> None:
    alice.open("/software?q=windows&deadline=&country=US&columns=customer&columns=country").follow("Save this view")
    assert "United States" in said(got(alice))
    alice.fill("Name of the view", "  American   Windows ").press("Save")
    assert urlsplit(got(alice).request.full_path).path == "/software"
    address = "/software?q=windows&country=US&columns=customer&columns=country"
    assert kept(alice) == [("American Windows", address)]
    soup = page(alice.client.get(address))
    assert soup.select_one("nav.kept-views a[aria-current=page]").get_text(strip=True) == "American Windows"
    assert soup.find("a", string="Save this view") is None
    assert operations()[-1] == "save_view"


def test_a_view_is_renamed_shared_and_deleted(alice: PlainBrowser, world: World) -> None:
    number = a_view(world)
    alice.open(f"/software/views/{number}").fill("Name of the view", "Ends soon").press("Save")
    assert kept(alice) == [("Ends soon", "/software?link=7")]
    alice.open("/software/views").press("Delete")
    assert "The view “Ends soon” is deleted." in said(got(alice))
    assert kept(alice) == []
    assert operations()[-3:] == ["save_view", "change_view", "delete_view"]
    assert list(audit.broken_links()) == []


@pytest.mark.parametrize(
    ("name", "why"), [("", "Give the view a name."), ("x" * 61, "At most 60 characters."), ("mine", "You have a view")]
)
def test_a_name_that_does_not_fit_is_said_beside_the_field(
    alice: PlainBrowser, world: World, name: str, why: str
) -> None:
    a_view(world)
    alice.open("/software/views/new?deadline=7").fill("Name of the view", name).press("Save")
    assert got(alice).status_code == 422
    assert why in said(got(alice))
    assert page(got(alice)).select_one("#name")["value"] == name
    assert len(kept(alice)) == 1


def test_a_view_of_that_name_is_replaced_when_that_is_ticked(alice: PlainBrowser, world: World) -> None:
    a_view(world)
    form = alice.open("/software/views/new?deadline=7").fill("Name of the view", "Mine")
    form.fill("Replace my view of this name, if there is one", True).press("Save")
    assert kept(alice) == [("Mine", "/software?deadline=7")]


def test_the_same_form_sent_twice_is_one_view(world: World) -> None:
    for _turn in range(2):
        with transaction():
            save_view("Mine", "link=7", by=world.actor("alice"), form_token="t" * 20)
    assert session.query(SavedView).count() == 1


def test_a_form_sent_again_after_its_view_was_deleted_says_so(alice: PlainBrowser, world: World) -> None:
    """Back, and Save once more."""
    with transaction():
        save_view("Mine", "link=7", by=world.actor("alice"), form_token="t" * 20)
    alice.open("/software/views").press("Delete")
    with pytest.raises(Conflict, match="deleted meanwhile"), transaction():
        save_view("Mine", "link=7", by=world.actor("alice"), form_token="t" * 20)


def test_a_view_that_is_deleted_while_it_is_changed_is_a_sentence(
    alice: PlainBrowser, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = a_view(world)
    alice.open(f"/software/views/{number}").fill("Name of the view", "Ends soon")

    @contextmanager
    def too_late() -> Iterator[None]:
        """The row was loaded; now somebody is quicker."""
        with ThreadPoolExecutor(1) as others:
            others.submit(deleted, world, number).result(30)
        with transaction():
            yield

    monkeypatch.setattr(pages, "transaction", too_late)
    assert "Somebody else has changed this in the meantime." in said(got(alice.press("Save")))
    assert got(alice).status_code == 409


def deleted(world: World, number: int) -> None:
    try:
        with transaction():
            saved_views.delete_view(session.get_one(SavedView, number), by=world.actor("alice"))
    finally:
        session.remove()


def test_d11_a_product_key_among_the_filters_is_in_no_view_export_or_log(alice: PlainBrowser) -> None:
    key = new_key()
    alice.open(f"/software?q=%20{key}")
    alice.follow("Save this view").fill("Name of the view", "Pasted").press("Save")
    token = alice.client.get("/software").text.partition('name="csrf_token" value="')[2].partition('"')[0]
    answer = alice.client.post(f"/software/export?q={key}", data={"csrf_token": token})
    assert (answer.status_code, len(answer.text.splitlines())) == (200, 1)
    entries = [entry.details for entry in session.scalars(select(AuditEntry).filter_by(operation="export_software"))]
    assert [entry["filters"]["text"][-5:] for entry in entries] == [key[-5:]]
    assert key[:5] not in str(entries) + session.query(SavedView).one().query


# ---------------------------------------------------------------- whose


def test_s1_nobody_else_sees_a_view_that_is_not_shared(app: Flask, alice: PlainBrowser, world: World) -> None:
    number = a_view(world)
    bob = PlainBrowser(world.sign_in(app, "bob"))
    assert kept(bob) == []
    for address in (f"/software/views/{number}", f"/software/views/{number}/deletion"):
        assert bob.client.get(address).status_code in {404, 405}
    assert bob.client.post(f"/software/views/{number}/deletion").status_code == 404


def test_s1_colleagues_see_what_is_shared_and_cannot_change_it(app: Flask, alice: PlainBrowser, world: World) -> None:
    alice.open("/software/views/new?link=7").fill("Name of the view", "Ours").fill(
        "Share it with my colleagues", True
    ).press("Save")
    number = session.query(SavedView.id).scalar()
    bob, charlie = (PlainBrowser(world.sign_in(app, who)) for who in ("bob", "charlie"))
    assert kept(bob) == [("Ours", "/software?link=7")]
    assert "Shared by Alice" in said(bob.client.get("/software/views"))
    assert "Only who made a view can change or delete it." in said(bob.client.get(f"/software/views/{number}"))
    token = page(bob.client.get("/software")).select_one("input[name=csrf_token]")["value"]
    for path, fields in ((f"/software/views/{number}", {"name": "Bob’s"}), (f"/software/views/{number}/deletion", {})):
        assert bob.client.post(path, data={"csrf_token": token, **fields}).status_code == 403
    assert kept(charlie) == []
    assert charlie.client.get(f"/software/views/{number}").status_code == 404
    assert kept(alice) == [("Ours", "/software?link=7")]


def test_d14_who_may_not_see_the_list_keeps_no_views(app: Flask, world: World) -> None:
    bill = world.sign_in(app, "bill")
    assert bill.get("/software/views/new?link=7").status_code == 403
    assert bill.get("/software/views").status_code == 403


# ---------------------------------------------------------------- how many


def test_a_person_keeps_twenty_and_is_told_before_and_after(alice: PlainBrowser, world: World) -> None:
    for number in range(saved_views.MOST_VIEWS):
        a_view(world, name=f"View {number}")
    a_view(world, "bob", "View of Bob")
    sentence = "You have kept 20 views, and no more fit. Delete one that you do not need."
    alice.open("/software/views/new?deadline=7")
    assert sentence in said(got(alice))
    alice.fill("Name of the view", "One more").press("Save")
    assert (got(alice).status_code, sentence in said(got(alice))) == (422, True)
    assert len(kept(alice)) == 20


def test_twenty_are_twenty_when_many_are_kept_at_once(world: World) -> None:
    alice = world.actor("alice")

    def keep(number: int) -> bool:
        try:
            with transaction():
                save_view(f"View {number // 2}", "link=7", by=alice)
        except (Invalid, Refused):
            return False
        finally:
            session.remove()
        return True

    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(keep, range(60)))
    session.rollback()
    assert sum(made) == session.query(SavedView).count() == saved_views.MOST_VIEWS
