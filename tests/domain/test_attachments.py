"""Files of tickets: limits, names, kept files, orphans (R42, D13, T11-T13)."""

from __future__ import annotations

import io
import os
import time
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csp_web.db import now, session, transaction
from csp_web.domain.delivery.file_names import LONGEST, clean_file_name
from csp_web.domain.support import attachments
from csp_web.domain.support.attachments import Limits, drop, forget_unsent, keep, kept, receive, sweep_orphans
from csp_web.domain.support.tickets import reply
from csp_web.domain.upkeep.configured import file_store
from csp_web.errors import Invalid
from csp_web.models import PendingFile, TicketFile
from csp_web.services.files import StoredFile
from tests.support.tickets import file_ticket, install_types, new_token, other_details
from tests.world import World

SMALL = Limits(files=3, each=10, together=20)


@pytest.fixture(autouse=True)
def _types(world: World) -> None:
    install_types()


def files(*contents: bytes) -> list[tuple[str, io.BytesIO]]:
    return [(f"file{number}.txt", io.BytesIO(content)) for number, content in enumerate(contents)]


def receive_small(*contents: bytes, already: tuple[int, ...] = ()) -> tuple[list[attachments.NewFile], list[str]]:
    return receive(files(*contents), store=file_store(), limits=SMALL, already=already, room=SMALL.together)


def content(key: str) -> bytes:
    with file_store().open(key) as file:
        return file.read()


def everything_stored() -> list[str]:
    return list(file_store().keys_older_than(timedelta(seconds=-60)))


def test_d13_the_limits_that_are_stated_are_those_of_the_rule() -> None:
    assert Limits().stated == (10, 25, 100)


def test_files_are_stored_byte_by_byte(world: World) -> None:
    taken, problems = receive_small(b"0123456789", b"abc")
    assert problems == []
    assert [content(file.stored.key) for file in taken] == [b"0123456789", b"abc"]


@pytest.mark.parametrize(
    ("contents", "already", "taken", "sentence"),
    [
        ((b"x" * 11,), (), 0, "a file may have at most"),
        ((b"",), (), 0, "is empty"),
        ((b"a", b"b", b"c", b"d"), (), 3, "at most 3 files"),
        ((b"a",), (1, 1, 1), 0, "at most 3 files"),
        ((b"x" * 10, b"y" * 10, b"z"), (), 2, "together"),
        ((b"x" * 6,), (10, 5), 0, "together"),
    ],
)
def test_d13_what_is_over_a_limit_is_left_out_with_a_sentence_that_names_it(
    world: World, contents: tuple[bytes, ...], already: tuple[int, ...], taken: int, sentence: str
) -> None:
    got, problems = receive_small(*contents, already=already)
    assert len(got) == taken
    assert len(problems) == 1
    assert sentence in problems[0]
    assert f"file{taken}.txt" in problems[0]
    assert len(everything_stored()) == taken  # nothing of what was left out stays behind


def test_d13_a_ticket_has_room_for_100_mib_with_all_its_notes(world: World) -> None:
    ticket = file_ticket(world, other_details())
    with transaction():
        session.add(
            TicketFile(
                ticket_id=ticket.id,
                original_name="a",
                size=99 * attachments.MIB,
                sha256="",
                storage_key="k",
                added_by_id=world.people["alice"],
            )
        )
    assert attachments.room_in(ticket, Limits()) == attachments.MIB
    assert attachments.room_in(None, Limits()) == 100 * attachments.MIB


HOSTILE = {
    "../../etc/passwd": "passwd",
    "..\\..\\boot.ini": "boot.ini",
    "a\x00b.txt": "ab.txt",
    "a\r\nSet-Cookie: x.txt": "aSet-Cookie: x.txt",
    "photo\u202egpj.exe": "photogpj.exe",
    "CON": "_CON",
    "com1.txt": "_com1.txt",
    "nul": "_nul",
    "": "file",
    ".": "file",
    " .. ": "file",
    "\u200b\u2066": "file",
    "🧾 чек.pdf": "🧾 чек.pdf",
    "a   b.txt": "a b.txt",
    "\ud800.txt": "txt",
    "https://evil.example/x.html": "x.html",
}


@pytest.mark.parametrize(("given_name", "shown"), HOSTILE.items())
def test_t13_hostile_names_become_plain_names(given_name: str, shown: str) -> None:
    assert clean_file_name(given_name) == shown


def test_t13_a_long_name_keeps_its_ending() -> None:
    name = clean_file_name("x" * 300 + ".docx")
    assert (len(name), name[-5:]) == (LONGEST, ".docx")
    assert len(clean_file_name("y" * 300)) == LONGEST


@given(st.text(alphabet=st.characters(), max_size=400))
def test_t13_every_name_becomes_one_line_without_folders(name: str) -> None:
    clean = clean_file_name(name)
    assert 1 <= len(clean) <= LONGEST
    assert clean == clean.strip()
    assert not {"/", "\\", "\n", "\r", "\x00", "\u202e"} & set(clean)
    clean.encode("utf-8")


def keep_small(world: World, token: str, *contents: bytes, who: str = "alice") -> None:
    taken, _problems = receive_small(*contents)
    with transaction():
        keep(taken, by=world.actor(who), token=token, at=now())


def test_kept_files_become_the_tickets_with_the_ticket(world: World) -> None:
    token = new_token()
    keep_small(world, token, b"one", b"two")
    ticket = file_ticket(world, other_details(), token=token)
    assert [(file.original_name, file.size) for file in ticket.files] == [("file0.txt", 3), ("file1.txt", 3)]
    assert session.query(PendingFile).count() == 0
    assert content(ticket.files[0].storage_key) == b"one"


def test_the_same_file_kept_twice_counts_once(world: World) -> None:
    token = new_token()
    keep_small(world, token, b"one")
    keep_small(world, token, b"one")
    assert len(kept(by=world.actor("alice"), token=token)) == 1
    assert len(file_ticket(world, other_details(), token=token).files) == 1


def test_kept_files_are_of_one_person_and_one_form(world: World) -> None:
    token = new_token()
    keep_small(world, token, b"one")
    assert kept(by=world.actor("bob"), token=token) == []
    assert kept(by=world.actor("alice"), token=new_token()) == []
    assert file_ticket(world, other_details(), by="bob", token=token).files == []


def test_a_kept_file_can_be_taken_out_again_by_its_owner_alone(world: World) -> None:
    token = new_token()
    keep_small(world, token, b"one", b"two")
    first = kept(by=world.actor("alice"), token=token)[0].id
    with transaction():
        drop([first, 0, 2**70], by=world.actor("bob"), token=token)
    assert len(kept(by=world.actor("alice"), token=token)) == 2
    with transaction():
        drop([first, 0, 2**70], by=world.actor("alice"), token=token)
    assert [file.original_name for file in kept(by=world.actor("alice"), token=token)] == ["file1.txt"]


def age(key: str, hours: int) -> None:
    path = file_store().path(key)
    assert path is not None
    then = time.time() - hours * 3600
    os.utime(path, (then, then))


def test_i5_the_sweep_deletes_what_no_row_names_and_nothing_else(world: World) -> None:
    token, unsent = new_token(), new_token()
    keep_small(world, token, b"a ticket")
    ticket = file_ticket(world, other_details(), token=token)
    keep_small(world, unsent, b"a form")
    orphan, young = receive_small(b"orphan", b"young")[0]
    for key in (ticket.files[0].storage_key, session.query(PendingFile).one().storage_key, orphan.stored.key):
        age(key, 25)
    assert sweep_orphans(file_store()) == 1
    assert not file_store().exists(orphan.stored.key)
    assert file_store().exists(young.stored.key)
    assert file_store().exists(ticket.files[0].storage_key)


def test_forms_that_were_never_sent_are_forgotten_after_a_day(world: World) -> None:
    token = new_token()
    keep_small(world, token, b"unsent")
    key = session.query(PendingFile).one().storage_key
    age(key, 30)
    with transaction():
        assert forget_unsent(now() + timedelta(hours=24)) == 0
    with transaction():
        assert forget_unsent(now() + timedelta(hours=26)) == 1
    assert sweep_orphans(file_store()) == 1
    assert not file_store().exists(key)


def breaking(*_arguments: object) -> bytes:
    raise RuntimeError("broken")


def test_t6_attaching_is_part_of_the_act(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    token = new_token()
    keep_small(world, token, b"one")
    ticket = file_ticket(world, other_details())
    monkeypatch.setattr("csp_web.domain.audit.digest", breaking)
    with pytest.raises(RuntimeError, match="broken"), transaction():
        reply(ticket, "See the file.", by=world.actor("alice"), token=token)
    assert session.query(TicketFile).count() == 0
    assert session.query(PendingFile).count() == 1


def claimed(number: int, size: int) -> attachments.NewFile:
    """A file of so many bytes, as the store would tell of it."""
    return attachments.NewFile(f"file{number}.bin", StoredFile(f"{number:032x}", size, f"{number:064x}"))


def test_d13_what_two_people_add_at_once_stays_within_the_limit_of_the_request(world: World) -> None:
    """Both forms were checked while the request had room for each of them."""
    ticket = file_ticket(world, other_details())
    tokens = {"alice": new_token(), "bob": new_token()}
    with transaction():
        for number, (who, token) in enumerate(tokens.items()):
            keep([claimed(number, 60 * 1024**2)], by=world.actor(who), token=token, at=now())
    with transaction():
        reply(ticket, "Here.", by=world.actor("alice"), token=tokens["alice"])
    with pytest.raises(Invalid) as refused, transaction():
        reply(ticket, "And here.", by=world.actor("bob"), token=tokens["bob"])
    assert "100 MiB" in refused.value.problems["files"]
    assert session.query(TicketFile).count() == 1


def test_d13_one_form_sent_from_two_windows_takes_no_more_files(world: World) -> None:
    ticket, token = file_ticket(world, other_details()), new_token()
    with transaction():
        keep([claimed(number, 1) for number in range(11)], by=world.actor("alice"), token=token, at=now())
    with pytest.raises(Invalid) as refused, transaction():
        reply(ticket, "Here.", by=world.actor("alice"), token=token)
    assert "10 files" in refused.value.problems["files"]
