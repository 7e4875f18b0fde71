"""The list of software as a file: what the page shows, safe for spreadsheets, with flat memory (B7, S-1, S-4)."""

from __future__ import annotations

import csv
import io
import tracemalloc

import pytest

from csp_web.db import session, transaction
from csp_web.domain.delivery import software
from csp_web.domain.delivery.software import all_software
from csp_web.domain.delivery.software_filters import Filters, View, arguments_of
from csp_web.domain.long_work import csv_files, exports
from csp_web.domain.long_work.job_files import store
from csp_web.models import Customer, JobState
from tests.support.jobs import job, start, work
from tests.support.stock import bought
from tests.world import World

pytestmark = pytest.mark.usefixtures("world")


def rows_of(content: bytes) -> list[dict[str, str]]:
    """The rows of a file, by the names of its columns."""
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "\r=1", "＝1"])
def test_a_cell_is_never_a_formula(text: str) -> None:
    assert csv_files.safe(text) == f"'{text}"
    assert csv_files.safe("A-1") == "A-1"
    assert csv_files.safe(-5) == -5


def test_b7_the_file_has_what_the_page_shows_in_its_order(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(software, "ROWS_AT_ONCE", 2)
    for offer in ("windows-US", "sql-US", "windows-US"):
        bought(world, offer)
    alice = world.actor("alice")
    for filters in (Filters(), Filters(text="sql"), Filters(deadline_days=30), Filters(text="nothing like it")):
        shown = [line.guid for line in all_software(alice, View(filters)).lines]
        assert [row["Subscription ID"] for row in rows_of(exports.export_now(alice, View(filters)))] == shown
        assert software.count_lines(alice, View(filters)) == len(shown)


def test_s1_nothing_of_another_partner(world: World) -> None:
    bought(world)
    assert rows_of(exports.export_now(world.actor("charlie"), View())) == []


def test_a_name_like_a_formula_and_letters_of_every_language(world: World) -> None:
    bought(world)
    with transaction():
        session.get_one(Customer, world.customers["coho"]).company_name = '=HYPERLINK("x"), Датум'
    (row,) = rows_of(exports.export_now(world.actor("alice"), View()))
    assert row["Customer"] == '\'=HYPERLINK("x"), Датум'
    assert row["Keys"] == "Not taken yet"


def test_the_worker_writes_a_file_of_the_job(world: World) -> None:
    bought(world)
    bought(world, "sql-US")
    number = start(
        "export_software", world.actor("alice"), subject="software.csv", **arguments_of(View(Filters(text="sql")))
    )
    work()
    row = job(number)
    assert (row.state, row.result) == (JobState.DONE, {"rows": 1})
    content = store().path(str(row.file_key)).read_bytes()
    assert len(content) == row.file_size
    assert [line["Product"] for line in rows_of(content)] == ["SQL Server 2025 Standard"]


def test_memory_does_not_grow_with_the_rows() -> None:
    """Many times the rows, the same memory: what a million take follows."""

    def peak(count: int) -> int:
        pieces = csv_files.Pieces(csv_files.pieces(["a", "b"], (("x" * 50, number) for number in range(count))))
        tracemalloc.start()
        while pieces.read(64 * 1024):
            pass
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return top

    assert peak(30_000) < 2 * peak(2_000) + 200_000
