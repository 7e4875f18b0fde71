"""Installer files: stored whole with their SHA-256, offered once, replaced only when asked, withdrawn with a reason (R22)."""

from __future__ import annotations

import hashlib
import io
from datetime import timedelta

import pytest
from sqlalchemy import select

from csp_web.db import session, transaction
from csp_web.domain.delivery.download_options import OptionFacts, add_file, incoming, withdraw_file
from csp_web.domain.upkeep.configured import file_store
from csp_web.errors import Conflict, Forbidden, Invalid, Refused
from csp_web.models import AuditEntry, DownloadOption, Product
from tests.support.files import ENGLISH, ISO, OWN
from tests.world import World

FACTS = OptionFacts(OWN, ENGLISH, ISO, "windows_server.iso")


def add(
    world: World,
    content: bytes = b"one",
    facts: OptionFacts = FACTS,
    *,
    offer: str = "windows-US",
    by: str | None = "olga",
    replace: bool = False,
) -> DownloadOption:
    actor, product = (world.actor(by) if by else None), world.offer(offer).sku.product_id
    with incoming(io.BytesIO(content)) as stored, transaction():
        return add_file(session.get_one(Product, product), facts, stored=stored, by=actor, replace=replace)


def stored_files() -> list[str]:
    return sorted(file_store().keys_older_than(timedelta(days=-1)))


def offered_now() -> list[DownloadOption]:
    return list(session.scalars(select(DownloadOption).filter_by(withdrawn_at=None)))


def test_r22_a_file_is_stored_with_its_size_and_sha256(world: World) -> None:
    option = add(world, b"content")
    assert (option.size, option.sha256) == (7, hashlib.sha256(b"content").hexdigest())
    with file_store().open(option.storage_key) as file:
        assert file.read() == b"content"


def test_the_same_file_again_changes_nothing(world: World) -> None:
    first = add(world).id
    assert add(world).id == first
    assert len(stored_files()) == 1


def test_another_file_under_the_same_names_is_refused_and_leaves_nothing(world: World) -> None:
    add(world)
    with pytest.raises(Conflict, match="already"):
        add(world, b"two")
    assert len(stored_files()) == 1


def test_a_replaced_file_is_withdrawn_and_its_row_stays(world: World) -> None:
    first = add(world).id
    second = add(world, b"two", replace=True).id
    assert [option.id for option in offered_now()] == [second]
    old = session.get_one(DownloadOption, first)
    assert old.withdrawn_reason
    assert len(stored_files()) == 2


def test_other_versions_languages_and_forms_stand_beside_it(world: World) -> None:
    add(world)
    add(world, facts=OptionFacts(OWN, "Russian (ru-RU)", ISO, "ru.iso"))
    add(world, facts=OptionFacts(OWN, ENGLISH, "64 Bit, VHDX", "en.vhdx"))
    assert len(offered_now()) == 3


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        (OptionFacts("", ENGLISH, ISO, "a.iso"), "version"),
        (OptionFacts(OWN, " \t", ISO, "a.iso"), "language"),
        (OptionFacts(OWN, ENGLISH, "x" * 101, "a.iso"), "file_type"),
        (OptionFacts(OWN, ENGLISH, ISO, "../a.iso"), "file_name"),
        (OptionFacts(OWN, ENGLISH, ISO, ""), "file_name"),
    ],
)
def test_names_that_do_not_fit_are_said_per_field(world: World, facts: OptionFacts, field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        add(world, facts=facts)
    assert list(refusal.value.problems) == [field]
    assert stored_files() == []


@pytest.mark.parametrize("offer", ["cal-US", "reservation-US"])
def test_a_product_without_files_takes_none(world: World, offer: str) -> None:
    with pytest.raises(Invalid, match="attention"):
        add(world, offer=offer)


@pytest.mark.parametrize("person", ["alice", "sam"])
def test_d14_only_an_operator_admin_keeps_files(world: World, person: str) -> None:
    with pytest.raises(Forbidden):
        add(world, by=person)
    assert stored_files() == []


def test_a_file_over_the_limit_is_refused(world: World) -> None:
    with pytest.raises(Invalid, match="attention"), incoming(io.BytesIO(b"12345"), max_bytes=4):
        raise AssertionError("it was taken in")


def test_withdrawing_needs_a_reason_and_happens_once(world: World) -> None:
    option = add(world)
    with pytest.raises(Invalid), transaction():
        withdraw_file(option, by=world.actor("olga"), reason=" ")
    with transaction():
        withdraw_file(option, by=world.actor("olga"), reason="A fault in setup")
    assert offered_now() == []
    with pytest.raises(Refused), transaction():
        withdraw_file(option, by=world.actor("olga"), reason="again")
    assert session.scalars(select(AuditEntry.operation).order_by(AuditEntry.seq)).all() == ["add_file", "withdraw_file"]
