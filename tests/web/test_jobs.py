"""Pages of long work: followed, cancelled and fetched without scripts; seen by nobody else (S-1, S-2, D14)."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from csp_web.config import Settings
from csp_web.db import session, transaction
from csp_web.domain.long_work import exports, job_files, job_table, job_work
from csp_web.domain.stock import key_rotation, vault
from csp_web.domain.upkeep import backups, configured
from csp_web.models import AuditEntry, Customer, Job, JobState, ProductKey
from csp_web.services.job_board import Progress
from tests.support.jobs import customer_rows, start, work
from tests.support.plain import PlainBrowser
from tests.support.sheets import price
from tests.support.sheets import sheet as price_sheet
from tests.support.statements import counted_statements
from tests.support.stock import bought, new_key, row_of, sheet, sku_of, stock
from tests.world import World

PIECE = 1024  # a htmx answer that comes every second carries less


@pytest.fixture
def alice(app: Flask, world: World) -> PlainBrowser:
    return PlainBrowser(world.sign_in(app, "alice"))


@pytest.fixture
def olga(app: Flask, world: World) -> PlainBrowser:
    return PlainBrowser(world.sign_in(app, "olga"))


@pytest.fixture
def _all_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every sheet and list is work for later."""
    for module in ("admin.keys", "admin.catalogue", "customers.importing"):
        monkeypatch.setattr(f"csp_web.blueprints.{module}.AT_ONCE", 0)
    monkeypatch.setattr(exports, "AT_ONCE", 0)


def said(browser: PlainBrowser) -> str:
    return " ".join(browser.page.get_text(" ").split())


def where(browser: PlainBrowser) -> str:
    assert browser.answer is not None
    return browser.answer.request.path


def customers() -> int:
    session.rollback()
    return session.scalar(select(func.count()).select_from(Customer)) or 0


def running(world: World, person: str = "alice") -> int:
    """A job that a worker is in the middle of, as its page sees it."""
    number = start("import_customers", world.actor(person), content=customer_rows(1), subject="customers.csv")
    with transaction():
        session.get_one(Job, number).state = JobState.RUNNING
    job_files.board().post(number, Progress("storing", 12_400, 50_000, 1_000.0, 1_002.0))
    return number


# ---------------------------------------------------------------- following


def test_b5_progress_in_numbers_speed_and_time_left(alice: PlainBrowser, world: World) -> None:
    number = running(world)
    text = said(alice.open(f"/jobs/{number}"))
    assert "Storing" in text
    assert "12,400 of 50,000 rows" in text
    assert "6,200 rows per second, about 6 seconds left" in text
    bar = alice.page.find("progress")
    assert bar is not None
    assert (bar["max"], bar["value"]) == ("50000", "12400")
    assert "Refresh" in str(alice.page.find("noscript"))


def test_the_part_that_changes_is_small_and_asks_no_more_at_the_end(app: Flask, world: World) -> None:
    number = running(world)
    client = world.sign_in(app, "alice")
    piece = client.get(f"/jobs/{number}/progress", headers={"HX-Request": "true"})
    assert b"every 1s" in piece.data
    assert len(piece.data) < PIECE
    work()
    assert b"every 1s" not in client.get(f"/jobs/{number}/progress", headers={"HX-Request": "true"}).data


def test_the_bar_shows_what_is_under_way_and_costs_others_no_statement(app: Flask, world: World) -> None:
    bob, alice = world.sign_in(app, "bob"), world.sign_in(app, "alice")
    with counted_statements() as before:
        bob.get("/customers")
    number = running(world)
    with counted_statements() as with_work:
        bob.get("/customers")
    assert len(with_work) == len(before)
    assert f'href="/jobs/{number}"' in alice.get("/customers").text
    work()
    assert f'href="/jobs/{number}"' not in alice.get("/customers").text


@pytest.mark.parametrize("page", ["", "/progress", "/cancel", "/file"])
def test_s1_somebody_elses_work_is_not_found(app: Flask, world: World, page: str) -> None:
    number = running(world)
    for person in ("bob", "charlie", "olga", "sam"):
        assert world.sign_in(app, person).get(f"/jobs/{number}{page}").status_code == 404


def test_the_list_takes_the_same_statements_however_long(alice: PlainBrowser, world: World) -> None:
    start("export_software", world.actor("alice"))
    work()
    with counted_statements() as few:
        alice.open("/jobs")
    for _each in range(5):
        start("export_software", world.actor("alice"))
        work()
    with counted_statements() as many:
        alice.open("/jobs")
    assert len(few) == len(many)
    assert len(alice.page.select("tbody tr")) == 6


# ---------------------------------------------------------------- cancel


def test_cancel_asks_and_what_waits_is_cancelled(alice: PlainBrowser, world: World) -> None:
    before = customers()
    number = start("import_customers", world.actor("alice"), content=customer_rows(3))
    assert "nothing is left half done" in said(alice.open(f"/jobs/{number}/cancel"))
    alice.press("Cancel it")
    assert where(alice) == f"/jobs/{number}"
    assert "Cancelled. Nothing was changed." in said(alice)
    work()
    assert customers() == before


def test_cancel_of_what_runs_is_seen_at_once_and_done_by_the_worker(alice: PlainBrowser, world: World) -> None:
    number = running(world)
    alice.open(f"/jobs/{number}/cancel").press("Cancel it")
    assert "Being cancelled" in said(alice)
    work()
    assert "Cancelled. Nothing was changed." in said(alice.open(f"/jobs/{number}"))


# ---------------------------------------------------------------- sheets


@pytest.mark.usefixtures("_all_is_large")
def test_d10_customers_are_checked_then_imported_without_sending_them_again(alice: PlainBrowser) -> None:
    before = customers()
    alice.open("/customers/import").fill("File", [("customers.csv", customer_rows(4))]).press("Check only")
    page = where(alice)
    work()
    assert "everything is in order. Nothing was stored." in said(alice.open(page))
    assert customers() == before
    alice.press("Import")
    work()
    assert "Added 4" in said(alice.open(where(alice)))
    assert customers() == before + 4


def test_d10_a_small_sheet_of_customers_is_imported_at_once(alice: PlainBrowser) -> None:
    before = customers()
    content = customer_rows(2)
    alice.open("/customers/import").fill("File", [("customers.csv", content)]).press("Check only")
    assert "Checked: 2 customers can be added; 0 are there already. Nothing was stored." in said(alice)
    assert customers() == before
    alice.fill("File", [("customers.csv", content)]).press("Import")
    assert "2 customers were added; 0 were there already." in said(alice)
    assert customers() == before + 2


def test_d10_errors_are_named_per_row(alice: PlainBrowser) -> None:
    content = customer_rows(1) + b"x,Y,y.example,Reseller,US\n"
    alice.open("/customers/import").fill("File", [("customers.csv", content)]).press("Import")
    assert alice.answer is not None
    assert alice.answer.status_code == 422
    assert "Line 3, Microsoft ID" in said(alice)


def test_d14_customers_are_imported_by_those_who_may_add_them(app: Flask, world: World) -> None:
    found = {name: world.sign_in(app, name).get("/customers/import").status_code for name in ("bob", "helen", "olga")}
    assert found == {"bob": 200, "helen": 403, "olga": 403}


@pytest.mark.usefixtures("_all_is_large")
def test_a_large_sheet_of_keys_is_left_to_the_worker(olga: PlainBrowser, world: World) -> None:
    content = sheet(*(row_of(sku_of(world), "Windows Server 2025", new_key()) for _each in range(3))).read()
    olga.open("/admin/keys").fill("File", [("keys.csv", content)]).press("Import")
    assert where(olga).startswith("/jobs/")
    work()
    session.rollback()
    assert session.scalar(select(func.count()).select_from(ProductKey)) == 3


@pytest.mark.usefixtures("_all_is_large")
def test_a_large_price_sheet_is_left_to_the_worker(olga: PlainBrowser) -> None:
    olga.open("/admin/catalogue").fill("Price sheet", [("june.csv", price_sheet(price()).read())]).press("Import")
    page = where(olga)
    assert page.startswith("/jobs/")
    work()
    assert "Rows 1" in said(olga.open(page))


# ---------------------------------------------------------------- exports


def test_b7_a_small_list_is_a_file_at_once(alice: PlainBrowser, world: World) -> None:
    bought(world)
    bought(world, "sql-US")
    alice.open("/software?q=sql").press("Export as CSV")
    assert alice.answer is not None
    assert alice.answer.content_type == "text/csv; charset=utf-8"
    assert alice.answer.headers["Cache-Control"] == "no-store"
    assert alice.answer.text.count("SQL Server 2025 Standard,") == 1
    assert "Windows" not in alice.answer.text
    session.rollback()
    last = session.scalars(select(AuditEntry).order_by(AuditEntry.seq.desc())).first()
    assert last is not None
    assert (last.operation, last.details) == (
        "export_software",
        {"rows": 1, "format": "CSV", "filters": {"text": "sql"}},
    )


@pytest.mark.usefixtures("_all_is_large")
def test_a_long_list_is_fetched_from_its_job_with_the_same_rights(
    app: Flask, alice: PlainBrowser, world: World
) -> None:
    bought(world)
    alice.open("/software").press("Export as CSV")
    page = where(alice)
    work()
    assert "Download" in said(alice.open(page))
    answer = alice.client.get(f"{page}/file")
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert "attachment" in answer.headers["Content-Disposition"]
    assert "Windows Server 2025 Datacenter" in answer.text
    with transaction():
        from csp_web.models import Role, UserRole

        session.query(UserRole).filter_by(user_id=world.people["alice"]).delete()
        session.add(UserRole(user_id=world.people["alice"], role=Role.BILLING_ADMIN))
    assert alice.client.get(f"{page}/file").status_code == 403
    assert "This needs the role" in said(alice.open(page))


# ---------------------------------------------------------------- backups


def test_b14_a_backup_is_made_checked_fetched_and_deleted(olga: PlainBrowser) -> None:
    olga.open("/admin/backups").press("Back up now")
    page = where(olga)
    assert "under way already" in said(olga.open("/admin/backups"))
    work()
    assert "Done." in said(olga.open(page))
    (name,) = (path.name for path in backups.folder().iterdir())
    olga.open("/admin/backups").press("Check")
    page = where(olga)
    work()
    assert "Done." in said(olga.open(page))
    answer = olga.client.get(f"/admin/backups/{name}/file")
    assert answer.data == (backups.folder() / name).read_bytes()
    assert "no-store" in answer.headers["Cache-Control"]
    answer.close()
    part = olga.client.get(f"/admin/backups/{name}/file", headers={"Range": "bytes=1-"})
    assert (part.status_code, len(part.data)) == (206, (backups.folder() / name).stat().st_size - 1)
    part.close()
    olga.open(f"/admin/backups/{name}/deletion").press("Delete")
    assert list(backups.folder().iterdir()) == []
    session.rollback()
    found = list(session.scalars(select(AuditEntry.operation).order_by(AuditEntry.seq)))
    fetched = ["download_backup"] * 2  # the part, too
    assert found[1:] == ["start_job", "make_backup", "start_job", "check_backup", *fetched, "delete_backup"]


def test_d11_a_backup_with_the_secrets_is_not_given_out(olga: PlainBrowser, monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent:
        def step(self, name: str, total: int = 0) -> None: ...

        def progress(self, done: int, total: int | None = None) -> None: ...

    path = Path(backups.folder()) / "with.tar"
    backups.write_backup(path, settings=configured.settings(), with_secrets=True, tell=Silent())
    assert "It holds the secrets of product keys." in said(olga.open("/admin/backups"))
    assert olga.client.get("/admin/backups/with.tar/file").status_code == 409
    path.write_bytes(path.read_bytes()[:-20_000])  # the end is missing, the secrets are not
    assert "nobody knows whether it holds secrets" in said(olga.open("/admin/backups"))
    assert olga.client.get("/admin/backups/with.tar/file").status_code == 409


@pytest.mark.parametrize("person", ["alice", "sam", "audrey"])
def test_d14_backups_are_the_operator_admins(app: Flask, world: World, person: str) -> None:
    client = world.sign_in(app, person)
    for address in ("/admin/backups", "/admin/backups/a.tar/file", "/admin/backups/a.tar/deletion"):
        assert client.get(address).status_code == 403


def test_a_name_that_is_no_backup_is_not_found(app: Flask, world: World) -> None:
    client = world.sign_in(app, "olga")
    for name in ("none.tar", "..%2Fsecret-key", ".hidden.tar", "%00.tar"):
        assert client.get(f"/admin/backups/{name}/file").status_code == 404


def test_d11_the_keys_are_encrypted_anew_as_long_work(world: World, olga: PlainBrowser, settings: Settings) -> None:
    (settings.data_dir / "keys-key").write_text(settings.keys_key)
    configured.configure(settings)
    stock(sku_of(world), "Windows Server 2025", 3)
    before = vault.key_id()
    olga.open("/admin/keys").press("Encrypt the keys anew")
    assert "New secret for the keys" in said(olga)
    assert job_table.work_once() == 1
    vault.refresh()
    assert vault.key_id() != before
    assert set(session.scalars(select(ProductKey.key_id))) == {vault.key_id()}
    assert "Done." in said(olga.open(where(olga)))


def test_d11_cancelled_in_the_middle_what_was_moved_stays_and_the_page_says_so(
    world: World, olga: PlainBrowser, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    (settings.data_dir / "keys-key").write_text(settings.keys_key)
    configured.configure(settings)
    monkeypatch.setattr(key_rotation, "BATCH", 1)
    monkeypatch.setattr(job_work, "POST_EVERY", 0.0)
    stock(sku_of(world), "Windows Server 2025", 3)
    olga.open("/admin/keys").press("Encrypt the keys anew")
    number = session.scalars(select(Job.id)).one()
    move = key_rotation._move_batch

    def moved_when_cancelled(after: int) -> tuple[int, int, int] | None:
        job_files.board().ask_to_cancel(number, world.people["olga"])
        return move(after)

    monkeypatch.setattr(key_rotation, "_move_batch", moved_when_cancelled)
    assert job_table.work_once() == 1
    assert "What was done stays, and can be continued." in said(olga.open(f"/jobs/{number}"))
    assert key_rotation.outdated() > 0
    olga.open("/admin/keys").press("Encrypt the keys anew")
    assert job_table.work_once() == 1
    assert key_rotation.outdated() == 0
