"""Attachments over HTTP: limits that lose nothing, hostile names, downloads that are inert (R42, D13, T11-T13, S-7)."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from flask import Flask

from csp_web.config import Settings
from csp_web.db import session
from csp_web.domain.upkeep.configured import file_store
from csp_web.models import PendingFile, Ticket, TicketFile
from tests.support.plain import PlainBrowser
from tests.support.tickets import file_ticket, install_types, other_details
from tests.world import World

pytestmark = pytest.mark.one_database  # pages; what they ask of the database is tested in the domain on both

MIB = 1024 * 1024


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Smaller limits than the shipped ones, so that going over them is quick: 3 files, 1 MiB each, 2 MiB together."""
    return replace(settings, max_uploads=3, max_upload_mb=1, max_ticket_mb=2)


@pytest.fixture
def world(world: World) -> World:
    """The people of all tests, and the types of problem."""
    install_types()
    return world


def form(world: World, app: Flask, who: str = "alice") -> PlainBrowser:
    page = PlainBrowser(world.sign_in(app, who)).open("/tickets/new?type=other")
    return page.fill("Title", "With files").fill("Description", "See them.")


def status_of(page: PlainBrowser) -> int:
    assert page.answer is not None
    return page.answer.status_code


def stored() -> dict[str, bytes]:
    """Name and bytes of every attachment."""
    found = {}
    for file in session.query(TicketFile).order_by(TicketFile.id):
        with file_store().open(file.storage_key) as stream:
            found[file.original_name] = stream.read()
    return found


def test_d13_the_form_states_the_limits_before_anyone_hits_them(app: Flask, world: World) -> None:
    assert "Up to 3 files, 1 MiB each, 2 MiB together." in form(world, app).text
    number = file_ticket(world, other_details()).number
    reply = PlainBrowser(world.sign_in(app, "alice")).open(f"/tickets/{number}")
    assert "Up to 3 files, 1 MiB each, 2 MiB together." in reply.text


def test_d13_the_shipped_limits_are_10_files_25_mib_each_100_mib_together() -> None:
    shipped = Settings()
    assert (shipped.max_uploads, shipped.max_upload_mb, shipped.max_ticket_mb) == (10, 25, 100)


def test_r42_files_arrive_byte_by_byte_whatever_they_are(app: Flask, world: World) -> None:
    files = [("log.bin", bytes(range(256)) * 64), ("page.html", b"<script>alert(1)</script>"), ("full.iso", b"x" * MIB)]
    page = form(world, app).fill("Add files", files).press("Submit")
    assert status_of(page) == 200
    assert stored() == dict(files)
    for file in session.query(TicketFile):
        assert hashlib.sha256(stored()[file.original_name]).hexdigest() == file.sha256


@pytest.mark.parametrize(
    ("files", "kept", "sentence"),
    [
        ([("big.bin", b"x" * (MIB + 1))], [], "“big.bin” was left out: a file may have at most 1 MiB."),
        ([("huge.bin", b"x" * (4 * MIB))], [], "“huge.bin” was left out"),
        ([(f"{n}.txt", b"x") for n in range(4)], ["0.txt", "1.txt", "2.txt"], "at most 3 files can be added at a time"),
        ([(f"{n}.bin", b"x" * MIB) for n in range(3)], ["0.bin", "1.bin"], "together may have 2 MiB"),
        ([("empty.txt", b"")], [], "“empty.txt” is empty."),
    ],
    ids=["one byte too many", "larger than all together", "too many", "too much together", "empty"],
)
def test_d13_over_a_limit_nothing_is_lost_but_what_does_not_fit(
    app: Flask, world: World, files: list[tuple[str, bytes]], kept: list[str], sentence: str
) -> None:
    page = form(world, app).fill("Add files", files).press("Submit")
    assert status_of(page) == 422
    assert sentence in page.text
    assert "See them." in page.text
    assert "With files" in str(page._control("Title"))
    for name in kept:
        assert name in page.text
    assert session.query(Ticket).count() == 0
    page.press("Submit")
    assert status_of(page) == 200
    assert sorted(stored()) == sorted(kept)


def test_a_kept_file_can_be_removed_before_sending(app: Flask, world: World) -> None:
    page = form(world, app).fill("E-mail", "nobody").fill("Add files", [("a.txt", b"a"), ("b.txt", b"b")])
    page.press("Submit")
    assert status_of(page) == 422
    first = session.query(PendingFile).order_by(PendingFile.id).first()
    assert first is not None
    page.fill("E-mail", "alice@contoso.example").fill("Remove a.txt 1 byte", str(first.id)).press("Submit")
    assert list(stored()) == ["b.txt"]


def test_another_person_cannot_take_over_kept_files(app: Flask, world: World) -> None:
    page = form(world, app).fill("E-mail", "nobody").fill("Add files", [("secret.txt", b"CANARY")]).press("Submit")
    token = page.page.find("input", attrs={"name": "form_token"})
    assert token is not None
    thief = form(world, app, "charlie")
    thief.filled["form_token"] = str(token["value"])
    thief.press("Submit")
    assert session.query(TicketFile).count() == 0
    assert "secret.txt" not in thief.text


HOSTILE = [
    ("../../etc/passwd", "passwd"),
    ("..\\..\\x.bat", "x.bat"),
    ("a%0d%0aSet-Cookie: stolen=1.txt", None),  # as browsers send a line break
    ("nul\x00byte.txt", None),
    ("x" * 300 + ".txt", "x" * 196 + ".txt"),
    ("🧾 чек.pdf", "🧾 чек.pdf"),
    ("gpj.\u202eexe.txt", "gpj.exe.txt"),
    ("CON", "_CON"),
    ("<img src=x>.png", "<img src=x>.png"),
    ('quo"te.txt', None),
]


@pytest.mark.parametrize(("name", "shown"), HOSTILE)
def test_t13_hostile_names_are_data_and_nothing_more(app: Flask, world: World, name: str, shown: str | None) -> None:
    page = form(world, app).fill("Add files", [(name, b"content")]).press("Submit")
    assert status_of(page) == 200
    file = session.query(TicketFile).one()
    assert file.original_name == (shown or file.original_name)
    assert file.storage_key.isalnum()
    path = f"{page.address}/files/{file.id}"
    assert page.answer is not None
    assert "<img src=x>" not in page.answer.text
    answer = page.client.get(path)
    assert answer.status_code == 200
    assert answer.data == b"content"
    answer.close()
    assert "Set-Cookie" not in answer.headers or "stolen" not in answer.headers["Set-Cookie"]
    disposition = answer.headers["Content-Disposition"]
    assert disposition.startswith("attachment;")
    assert not {"\r", "\n", "\u202e", "/"} & set(disposition)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.html", b"<script>alert(1)</script>"),
        ("x.svg", b"<svg onload='alert(1)' xmlns='http://www.w3.org/2000/svg'/>"),
        ("x.xml", b"<?xml version='1.0'?><a/>"),
        ("x.pdf", b"%PDF-1.7"),
        ("x.js", b"alert(1)"),
        ("x.jpg", b"GIF89a<script>"),
    ],
)
def test_t11_downloads_are_inert_whatever_is_in_them(app: Flask, world: World, name: str, content: bytes) -> None:
    page = form(world, app).fill("Add files", [(name, content)]).press("Submit")
    answer = page.client.get(f"{page.address}/files/{session.query(TicketFile).one().id}")
    assert answer.data == content
    answer.close()
    headers = answer.headers
    assert headers["Content-Type"] == "application/octet-stream"
    assert headers["Content-Disposition"].startswith("attachment; ")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert "no-store" in headers["Cache-Control"]


def test_names_of_other_scripts_reach_the_browser(app: Flask, world: World) -> None:
    page = form(world, app).fill("Add files", [("Счёт №5.pdf", b"x")]).press("Submit")
    answer = page.client.get(f"{page.address}/files/{session.query(TicketFile).one().id}")
    answer.close()
    assert "filename*=UTF-8''%D0%A1%D1%87%D1%91%D1%82%20%E2%84%965.pdf" in answer.headers["Content-Disposition"]


def with_files(world: World, app: Flask) -> tuple[str, int, int]:
    """A ticket with a file of its form and a file of an internal note: number and ids."""
    page = form(world, app).fill("Add files", [("form.txt", b"form")]).press("Submit")
    support = PlainBrowser(world.sign_in(app, "sam")).open(page.address)
    support.fill("Note", "For us.")
    support.filled["note-files"] = [("internal.txt", b"CANARY")]
    support.press("Internal note")
    ids = [file.id for file in session.query(TicketFile).order_by(TicketFile.id)]
    assert len(ids) == 2
    return page.address.rpartition("/")[2], ids[0], ids[1]


def test_b10_files_of_internal_notes_are_for_support_alone(app: Flask, world: World) -> None:
    number, of_form, internal = with_files(world, app)
    wanted = {"sam": (200, 200), "alice": (200, 404), "audrey": (200, 404), "charlie": (404, 404), "olga": (404, 404)}
    for who, (first, second) in wanted.items():
        client = world.sign_in(app, who)
        for file, status in ((of_form, first), (internal, second)):
            answer = client.get(f"/tickets/{number}/files/{file}")
            assert (who, file, answer.status_code) == (who, file, status)
            assert (b"CANARY" in answer.data) == (who == "sam" and file == internal)
            answer.close()
    assert "internal.txt" not in PlainBrowser(world.sign_in(app, "alice")).open(f"/tickets/{number}").text


def test_s1_a_file_is_found_under_its_own_ticket_alone(app: Flask, world: World) -> None:
    number, of_form, _internal = with_files(world, app)
    other = file_ticket(world, other_details()).number
    client = world.sign_in(app, "alice")
    assert client.get(f"/tickets/{other}/files/{of_form}").status_code == 404
    for made_up in ("0", "-1", "9" * 30, "x"):
        assert client.get(f"/tickets/{number}/files/{made_up}").status_code == 404


def test_f20_a_file_that_is_gone_from_the_disk_is_said_to_be_damaged(app: Flask, world: World) -> None:
    number, of_form, _internal = with_files(world, app)
    file_store().delete(session.get_one(TicketFile, of_form).storage_key)
    answer = world.sign_in(app, "alice").get(f"/tickets/{number}/files/{of_form}")
    assert answer.status_code == 409
    assert "damaged" in answer.text


def test_a_reply_with_files_keeps_them_over_an_error(app: Flask, world: World) -> None:
    number = file_ticket(world, other_details()).number
    page = PlainBrowser(world.sign_in(app, "alice")).open(f"/tickets/{number}")
    page.fill("Add files", [("shot.png", b"png")]).press("Reply")
    assert status_of(page) == 422
    assert "shot.png" in page.text
    page.fill("Your reply", "Here is the picture.").press("Reply")
    assert status_of(page) == 200
    file = session.query(TicketFile).one()
    assert (file.original_name, file.note is not None) == ("shot.png", True)


def test_d13_all_files_of_a_ticket_share_its_room(app: Flask, world: World) -> None:
    page = form(world, app).fill("Add files", [("a.bin", b"a" * MIB), ("b.bin", b"b" * (MIB // 2))]).press("Submit")
    page.fill("Your reply", "More.").fill("Add files", [("c.bin", b"c" * MIB)]).press("Reply")
    assert status_of(page) == 422
    assert "“c.bin” was left out: all files of a request together may have 2 MiB." in page.text


def test_t12_a_body_far_beyond_every_limit_is_413(app: Flask, world: World) -> None:
    page = form(world, app).fill("Add files", [("giant.bin", b"x" * (7 * MIB))]).press("Submit")
    assert status_of(page) == 413
    assert session.query(PendingFile).count() == 0


def test_f11_a_form_with_thousands_of_parts_is_refused(app: Flask, world: World) -> None:
    client = world.sign_in(app, "alice")
    parts = {f"field{number}": "x" for number in range(2000)}
    answer = client.post("/tickets/new", data=parts, content_type="multipart/form-data")
    assert answer.status_code == 413
