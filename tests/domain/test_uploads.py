"""Installer files in pieces: in order, each once, never a wrong byte, and gone on with after anything (R22, B5, B14)."""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from csp_web.db import now, session, transaction
from csp_web.domain.delivery import uploads
from csp_web.domain.delivery.uploads import WrongOffset, discard_upload, discarding, pieces, sweep_uploads
from csp_web.domain.upkeep.configured import file_store
from csp_web.errors import Busy, Conflict, Forbidden, Invalid, NotFound, Refused, StorageFull
from csp_web.models import AuditEntry, DownloadOption, Upload
from csp_web.services.files import FileStore
from tests.support.files import RUSSIAN, add_option
from tests.support.uploads import CONTENT, MODIFIED, NAME, begin, finish, local, send, send_all
from tests.world import World

pytestmark = pytest.mark.usefixtures("database")
SUM = hashlib.sha256(CONTENT).hexdigest()


def row(number: int) -> Upload:
    session.rollback()
    return session.get_one(Upload, number, populate_existing=True)


def operations() -> list[str]:
    return list(session.scalars(select(AuditEntry.operation).order_by(AuditEntry.seq)))


def test_r22_pieces_become_the_file_with_its_sum_and_leave_nothing_behind(world: World) -> None:
    number = begin(world)
    send_all(number)
    option = finish(world, number)
    assert (option.size, option.sha256, option.file_name) == (len(CONTENT), SUM, NAME)
    with file_store().open(option.storage_key) as stored:
        assert stored.read() == CONTENT
    assert list(pieces().root.iterdir()) == []
    assert row(number).option_id == option.id
    assert operations() == ["begin_upload", "add_file"]


def test_the_same_file_goes_on_where_it_stopped_and_another_one_begins_anew(world: World) -> None:
    number = begin(world)
    send(number, 0, CONTENT[:3000])
    assert begin(world) == number
    assert row(number).received == 3000
    others = [
        local(CONTENT + b"x"),
        local(name="other.iso"),
        local(modified=MODIFIED + 1),
        local(b"x" + CONTENT[1:]),
    ]
    assert len({begin(world, other) for other in others} | {number}) == 5
    assert begin(world, language=RUSSIAN) != number


def test_a_piece_that_is_not_the_next_one_is_told_where_to_go_on(world: World) -> None:
    number = begin(world)
    send(number, 0, CONTENT[:3000])
    for offset in (0, 2999, 3001, 6000):
        with pytest.raises(WrongOffset) as told:
            send(number, offset, b"wrong")
        assert told.value.right == 3000
    send_all_from(number, 3000)
    assert finish(world, number).sha256 == SUM


def send_all_from(number: int, offset: int) -> None:
    send(number, offset, CONTENT[offset:])


@pytest.mark.parametrize("piece", [b"", CONTENT + b"x"])
def test_an_empty_piece_and_more_than_is_missing_are_refused(world: World, piece: bytes) -> None:
    number = begin(world)
    with pytest.raises(Invalid):
        send(number, 0, piece)
    assert row(number).received == 0


def test_two_tabs_that_send_the_same_file_make_one_right_file(world: World) -> None:
    """Both go on wherever they are told; each piece counts once."""
    number, taken, step = begin(world), [], 512
    go = threading.Barrier(2)

    def tab() -> None:
        at = 0
        try:
            go.wait(20)
            while at < len(CONTENT):
                try:
                    at = send(number, at, CONTENT[at : at + step])
                    taken.append(at)
                except WrongOffset as told:
                    at = told.right
        finally:
            session.remove()

    run(tab, tab)
    assert taken == sorted(set(taken))
    assert finish(world, number).sha256 == SUM


def run(*works: Callable[[], object]) -> None:
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)


def test_what_a_killed_process_wrote_beyond_the_row_is_written_again(world: World) -> None:
    number = begin(world)
    send(number, 0, CONTENT[:3000])
    with pieces().path(row(number).key).open("ab") as file:
        file.write(b"half of a piece that no row knows")
    send_all_from(number, 3000)
    assert finish(world, number).sha256 == SUM


def test_b14_after_a_restore_without_pieces_the_row_follows_the_disk(world: World) -> None:
    number = begin(world)
    send(number, 0, CONTENT[:3000])
    shutil.rmtree(pieces().root)
    with pytest.raises(WrongOffset) as told:
        send(number, 3000, CONTENT[3000:])
    assert told.value.right == row(number).received == 0
    send_all(number)
    assert finish(world, number).sha256 == SUM


def test_what_is_not_whole_is_not_offered(world: World) -> None:
    number = begin(world)
    send(number, 0, CONTENT[:3000])
    with pytest.raises(Refused, match="still missing"):
        finish(world, number)
    assert session.scalar(select(DownloadOption.id)) is None


def test_finishing_twice_is_finishing_once(world: World) -> None:
    number = begin(world)
    send_all(number)
    first, second = finish(world, number).id, finish(world, number).id
    assert first == second
    with pytest.raises(Refused, match="offered already"):
        send(number, len(CONTENT), b"x")


def test_while_it_is_stored_nobody_else_stores_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    number = begin(world)
    send_all(number)
    monkeypatch.setattr(uploads, "END_SECONDS", 0)
    with pieces().claim(row(number).key), pytest.raises(Busy, match="being stored"):
        finish(world, number)
    assert finish(world, number).sha256 == SUM


def test_another_sum_than_expected_is_not_offered_and_the_pieces_stay(world: World) -> None:
    number = begin(world, expected="0" * 64)
    send_all(number)
    with pytest.raises(Invalid) as refused:
        finish(world, number, expected="0" * 64)
    assert SUM in refused.value.problems["sha256"]
    assert list(file_store().keys_older_than(timedelta(seconds=-60))) == []
    assert finish(world, number, expected=SUM).sha256 == SUM


def test_a_taken_place_is_refused_before_anything_is_sent_and_at_the_end(world: World) -> None:
    add_option(world, content=b"old")
    with pytest.raises(Conflict, match="already a file"):
        begin(world)
    number = begin(world, replace=True)
    send_all(number)
    with pytest.raises(Conflict, match="already a file"):
        finish(world, number)
    assert finish(world, number, replace=True).sha256 == SUM


def test_a_disk_without_room_is_said_before_anything_is_sent(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "_free", lambda: 2 * len(CONTENT) - 1)
    first = begin(world)
    with pytest.raises(StorageFull, match="has room for"):
        begin(world, language=RUSSIAN)
    send(first, 0, CONTENT[:3000])
    assert begin(world, language=RUSSIAN) != first


@pytest.mark.parametrize(("size", "said"), [(0, "empty"), (65 * 1024**3, "larger")])
def test_sizes_that_no_file_has_are_refused(world: World, size: int, said: str) -> None:
    file = uploads.LocalFile(NAME, size, MODIFIED, "0" * 64)
    with pytest.raises(Invalid) as refused:
        begin(world, file)
    assert said in refused.value.problems["file"]


def discard(world: World, number: int, who: str = "olga") -> None:
    upload, actor = session.get_one(Upload, number), world.actor(who)
    with discarding(upload), transaction():
        discard_upload(upload, by=actor)


def test_discarding_deletes_the_pieces_and_is_in_the_log(world: World) -> None:
    number = begin(world)
    send(number, 0, CONTENT[:3000])
    with pytest.raises(Forbidden):
        discard(world, number, "sam")
    assert pieces().size(row(number).key) == 3000
    discard(world, number)
    assert list(pieces().root.iterdir()) == []
    assert operations()[-1] == "discard_upload"
    with pytest.raises(NotFound), transaction():
        uploads.note_piece(Upload(id=number), 3000, 1)


def test_after_a_week_of_silence_an_upload_is_forgotten(world: World) -> None:
    silent, young = begin(world), begin(world, language=RUSSIAN)
    for number in (silent, young):
        send(number, 0, CONTENT[:3000])
    kept = row(young).key
    with transaction():
        session.get_one(Upload, silent).touched_at = now() - uploads.KEPT_FOR - timedelta(seconds=1)
    assert sweep_uploads(now()) == 1
    assert sweep_uploads(now()) == 0
    assert session.get(Upload, silent) is None
    assert operations()[-1] == "discard_upload"
    age_everything()
    sweep_uploads(now())
    assert {path.stem for path in pieces().root.iterdir()} == {kept}


def age_everything() -> None:
    for path in pieces().root.iterdir():
        os.utime(path, (0, 0))


def test_a_file_that_is_stored_and_not_offered_yet_is_young_to_the_sweep(world: World) -> None:
    """An upload may take days: what it brought must not be taken for something that nobody wants."""
    number = begin(world)
    send_all(number)
    age_everything()
    upload = session.get_one(Upload, number)
    with uploads.finishing(upload) as stored, transaction():
        assert stored is not None
        assert list(file_store().keys_older_than(timedelta(hours=1))) == []
        assert file_store().exists(stored.key)


def test_r22_into_a_store_elsewhere_the_same(world: World, s3_files: FileStore) -> None:
    number = begin(world)
    send_all(number)
    option = finish(world, number, expected=SUM)
    with s3_files.open(option.storage_key) as stored:
        assert stored.read() == CONTENT
    assert list(pieces().root.iterdir()) == []
