"""Stored product keys move to a new secret, in small transactions, while the portal serves (D11).

The secrets stand in a file of the data directory or in a setting: the one in use first, older ones after it. While keys
move, all of them read, so it may be stopped at any instant and gone on with. An older secret is given up only when no
key needs it any more, under a lock that no import passes.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import bindparam, func, select, text, update

from csp_web.db import on_sqlite, session, transaction
from csp_web.domain import audit
from csp_web.domain.access.actors import Actor, require
from csp_web.domain.stock import vault
from csp_web.domain.upkeep import configured
from csp_web.errors import Conflict
from csp_web.i18n import gettext as _
from csp_web.models import ProductKey
from csp_web.services.secret_files import replace_secret
from csp_web.services.writer_queue import FileLock

BATCH = 500
LOCK = "keys-rotation.lock"  # in the data directory
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Rotation:
    """What a rotation did. ``damaged``: keys that cannot be read and so stay under their older secret."""

    moved: int
    damaged: int
    given_up: int  # older secrets that left the file; 0 when the secrets are a setting


def rotate(*, by: Actor | None, new_secret: bool, progress: Progress = lambda _done, _total: None) -> Rotation:
    """Encrypt every key anew that is not under the secret in use. ``by`` None: the command line.

    With ``new_secret`` and the secrets in the data directory a new one is made first, unless an earlier rotation was
    cut off: that one is finished. Damaged keys, which stay where they are, cut off nothing. Call it outside a
    transaction: it makes one per batch.

    Raises:
        Forbidden: only an operator admin keeps the stock. Conflict: another rotation is under way.
    """
    if by is not None:
        require(by, "operator.manage")
    with _alone():
        vault.refresh()
        moved, damaged = _move_all(progress)
        if new_secret and not moved and (file := vault.secrets_file()) is not None:
            _write(file, [secrets.token_hex(32), *vault.split(file.read_text())])
            vault.refresh()
            moved, damaged = _move_all(progress)
        return Rotation(moved, damaged, _finish(moved, damaged, by))


@contextmanager
def _alone() -> Iterator[None]:
    """One rotation at a time: two would write each its own secret into the file, and one of them would be lost."""
    place = configured.settings().data_dir / LOCK
    lock = FileLock(place, like=place)
    try:
        if not lock.acquire(0):
            raise Conflict(_("Another rotation of the secrets of keys is under way. Nothing was changed."))
        yield
    finally:
        lock.close()


def outdated() -> int:
    """How many keys are under an older secret than the one in use."""
    return session.scalar(select(func.count()).where(ProductKey.key_id != vault.key_id())) or 0


def _move_all(progress: Progress) -> tuple[int, int]:
    total, moved, damaged, last = outdated(), 0, 0, 0
    while True:
        with transaction():
            batch = _move_batch(last)
        if batch is None:
            return moved, damaged
        last, moved, damaged = batch[0], moved + batch[1], damaged + batch[2]
        progress(moved + damaged, max(total, moved + damaged))


def _move_batch(after: int) -> tuple[int, int, int] | None:
    """Move the next keys after an id: the last id, how many were moved, how many could not be read."""
    chosen = select(ProductKey.id, ProductKey.sku_id, ProductKey.ciphertext, ProductKey.key_id)
    chosen = chosen.where(ProductKey.key_id != vault.key_id(), ProductKey.id > after).order_by(ProductKey.id)
    rows = session.execute(chosen.limit(BATCH).with_for_update(key_share=True)).all()
    if not rows:
        return None
    anew = [values for row in rows if (values := _sealed_anew(row)) is not None]
    if anew:
        table: Any = ProductKey.__table__
        new: Any = {name: bindparam(f"new_{name}") for name in ("ciphertext", "key_id", "fingerprint")}
        session.connection().execute(update(table).where(table.c.id == bindparam("number")).values(**new), anew)
    return rows[-1].id, len(anew), len(rows) - len(anew)


def _sealed_anew(row: Any) -> dict[str, Any] | None:
    try:
        clear = vault.unseal(vault.Sealed(row.ciphertext, row.key_id), sku=row.sku_id).reveal()
    except vault.VaultClosed:
        return None
    sealed = vault.seal(clear, sku=row.sku_id)
    return {
        "number": row.id,
        "new_ciphertext": sealed.ciphertext,
        "new_key_id": sealed.key_id,
        "new_fingerprint": vault.fingerprint(clear, sku=row.sku_id),
    }


def _finish(moved: int, damaged: int, by: Actor | None) -> int:
    """Give up the older secrets when no key is under them, and write into the log what was done."""
    with transaction():
        if not on_sqlite():
            session.execute(text("LOCK TABLE product_keys IN SHARE MODE"))
        vault.refresh()  # what is given up is judged by the secret that stands first in the file now
        file, given_up = vault.secrets_file(), 0
        if file is not None and not outdated():
            ring = vault.split(file.read_text())
            given_up = len(ring) - 1
            if given_up:
                _write(file, ring[:1])
        if moved or given_up:
            audit.record(
                "rotate_keys", by=by, resource=("key_stock", ""), keys=moved, damaged=damaged, given_up=given_up
            )
    vault.refresh()
    return given_up


def _write(file: Path, ring: list[str]) -> None:
    replace_secret(file, "\n".join(ring) + "\n")
