"""A new secret for stored keys: moved in batches while others read and import, cut off and gone on with (D11)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from csp_web.config import Settings
from csp_web.db import session, transaction
from csp_web.domain.stock import key_rotation, vault
from csp_web.domain.stock.key_rotation import outdated, rotate
from csp_web.domain.stock.keys import hand_out_own_version, import_keys, show_key
from csp_web.errors import Conflict, Forbidden
from csp_web.models import AuditEntry, KeyAssignment, ProductKey
from tests.support.stock import bought, new_key, row_of, sheet, sku_of, stock
from tests.world import World

OWN = "Windows Server 2025"
SECOND = "second-secret-of-the-tests-" * 2


@pytest.fixture(autouse=True)
def _in_file(world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The secret stands in the data directory, and a batch holds three keys."""
    (settings.data_dir / "keys-key").write_text(settings.keys_key)
    vault.configure(settings)
    monkeypatch.setattr(key_rotation, "BATCH", 3)


def clear_keys() -> list[str]:
    rows = session.scalars(select(ProductKey).order_by(ProductKey.id)).all()
    return [vault.unseal(vault.Sealed(row.ciphertext, row.key_id), sku=row.sku_id).reveal() for row in rows]


def ring(settings: Settings) -> list[str]:
    return vault.split((settings.data_dir / "keys-key").read_text())


def test_d11_every_key_moves_and_the_older_secret_is_given_up(world: World, settings: Settings) -> None:
    stock(sku_of(world), OWN, 8)
    before, secret, steps = clear_keys(), ring(settings), []
    session.rollback()
    result = rotate(by=world.actor("olga"), new_secret=True, progress=lambda done, total: steps.append((done, total)))
    assert (result.moved, result.damaged, result.given_up) == (8, 0, 1)
    assert steps == [(3, 8), (6, 8), (8, 8)]
    assert clear_keys() == before
    assert outdated() == 0
    assert len(ring(settings)) == 1
    assert ring(settings) != secret
    assert (settings.data_dir / "keys-key").stat().st_mode & 0o777 == 0o600
    entry = session.scalars(select(AuditEntry).filter_by(operation="rotate_keys")).one()
    assert entry.details == {"keys": 8, "damaged": 0, "given_up": 1}


def test_d11_cut_off_anywhere_every_key_reads_and_the_next_run_finishes(world: World, settings: Settings) -> None:
    stock(sku_of(world), OWN, 8)
    before = clear_keys()
    session.rollback()

    def cut_off(done: int, _total: int) -> None:
        if done == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rotate(by=None, new_secret=True, progress=cut_off)
    assert clear_keys() == before
    assert outdated() == 2
    secrets = ring(settings)
    session.rollback()
    result = rotate(by=None, new_secret=True)
    assert (result.moved, result.given_up) == (2, 1)
    assert ring(settings) == secrets[:1]  # no third secret was made
    assert clear_keys() == before


def test_b3_a_key_is_known_again_under_the_new_secret_and_while_keys_move(world: World) -> None:
    sku, key = sku_of(world), new_key()
    row = row_of(sku, OWN, key)
    stock(sku, OWN, 5)
    with transaction():
        import_keys(sheet(row), by=None)  # the last one to be moved

    def import_again(_done: int = 0, _total: int = 0) -> None:
        report = import_keys(sheet(row), by=None, dry_run=True)
        assert [error.column for error in report.errors] == ["ProductKey"]
        session.rollback()

    rotate(by=None, new_secret=True, progress=import_again)
    import_again()


def test_d11_a_serving_process_reads_and_writes_under_a_secret_made_by_another(
    world: World, settings: Settings
) -> None:
    stock(sku_of(world), OWN, 4)
    line = bought(world)
    with transaction():
        hand_out_own_version(line, by=world.actor("bob"))
    serving = vault._vault
    rotate(by=None, new_secret=True)
    new = vault.key_id()
    vault._vault = serving  # another process, which knows only the older secret
    assignment = session.scalars(select(KeyAssignment)).one()
    with transaction():
        assert "-" in show_key(assignment, by=world.actor("alice")).reveal()
    vault._vault = serving
    stock(sku_of(world), OWN, 1)
    assert session.scalars(select(ProductKey.key_id).distinct()).all() == [new]


def test_d11_an_import_that_a_new_secret_overtook_leaves_nothing(
    world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = settings.data_dir / "keys-key"
    row = row_of(sku_of(world), OWN, new_key())
    real = vault.seal

    def overtaken(key: str, *, sku: int) -> vault.Sealed:
        sealed = real(key, sku=sku)
        key_rotation._write(file, [SECOND, *vault.split(file.read_text())])
        return sealed

    monkeypatch.setattr("csp_web.domain.stock.key_import.vault.seal", overtaken)
    with pytest.raises(Conflict, match="secret of product keys was changed"), transaction():
        import_keys(sheet(row), by=None)
    assert session.scalars(select(ProductKey)).all() == []


def test_f18_a_key_that_cannot_be_read_keeps_its_secret_and_is_counted(world: World, settings: Settings) -> None:
    stock(sku_of(world), OWN, 4)
    with transaction():
        broken = session.scalars(select(ProductKey).order_by(ProductKey.id)).first()
        assert broken is not None
        broken.ciphertext = bytes(reversed(broken.ciphertext))
    result = rotate(by=None, new_secret=True)
    assert (result.moved, result.damaged, result.given_up) == (3, 1, 0)
    assert len(ring(settings)) == 2
    in_use = ring(settings)[0]
    result = rotate(by=None, new_secret=True)  # a damaged key keeps nobody from a new secret
    assert (result.moved, result.damaged, result.given_up) == (3, 1, 0)
    assert ring(settings)[1] == in_use


def test_d11_secrets_given_by_a_setting_are_moved_to_its_first(world: World, settings: Settings) -> None:
    stock(sku_of(world), OWN, 4)
    (settings.data_dir / "keys-key").unlink()
    vault.configure(replace(settings, keys_key=f"{SECOND},{settings.keys_key}"))
    assert outdated() == 4
    session.rollback()
    result = rotate(by=None, new_secret=True)
    assert (result.moved, result.given_up) == (4, 0)
    vault.configure(replace(settings, keys_key=SECOND))
    assert len(clear_keys()) == 4


def test_s2_only_an_operator_admin_rotates(world: World) -> None:
    with pytest.raises(Forbidden):
        rotate(by=world.actor("alice"), new_secret=True)


def test_d11_an_import_leaves_nothing_when_another_thread_saw_the_new_secret_first(
    world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = settings.data_dir / "keys-key"
    row = row_of(sku_of(world), OWN, new_key())
    real = vault.seal

    def overtaken(key: str, *, sku: int) -> vault.Sealed:
        sealed = real(key, sku=sku)
        key_rotation._write(file, [SECOND])  # no key was under the older one, so it was given up
        assert vault.refresh()  # somebody else of this process shows a key
        return sealed

    monkeypatch.setattr("csp_web.domain.stock.key_import.vault.seal", overtaken)
    with pytest.raises(Conflict, match="secret of product keys was changed"), transaction():
        import_keys(sheet(row), by=None)
    assert session.scalars(select(ProductKey)).all() == []


def test_d11_two_rotations_at_once_are_one(world: World, settings: Settings) -> None:
    stock(sku_of(world), OWN, 8)
    before = clear_keys()
    session.rollback()

    def again(_done: int, _total: int) -> None:
        with pytest.raises(Conflict, match="under way"):
            rotate(by=None, new_secret=True)

    rotate(by=None, new_secret=True, progress=again)
    assert clear_keys() == before


def test_d11_a_secret_that_came_into_the_file_meanwhile_makes_nothing_unreadable(
    world: World, settings: Settings
) -> None:
    stock(sku_of(world), OWN, 4)
    before, file = clear_keys(), settings.data_dir / "keys-key"
    session.rollback()

    def another(done: int, total: int) -> None:
        if done == total:
            key_rotation._write(file, [SECOND, *ring(settings)])

    result = rotate(by=None, new_secret=True, progress=another)
    assert result.given_up == 0
    assert clear_keys() == before
