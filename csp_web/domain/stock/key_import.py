"""New keys for the stock: from a sheet, all or nothing, encrypted, each known by its fingerprint (D11, D12).

No sentence, log or mail of an import repeats a key: at most its last five characters.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import BinaryIO, TypeVar, cast

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from csp_web.db import for_update, now, session
from csp_web.domain import audit
from csp_web.domain.access.actors import Actor, require
from csp_web.domain.sheets import RowError
from csp_web.domain.stock import vault
from csp_web.domain.stock.key_sheet import KeyRow, read_key_sheet
from csp_web.domain.stock.key_stock import fill_waiting, pool_for
from csp_web.errors import Conflict
from csp_web.i18n import gettext as _
from csp_web.models import KeyPool, KeyState, KeyWait, Product, ProductKey, Sku

CHUNK = 500
Item = TypeVar("Item")
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class KeyImport:
    """What an import did, or with ``dry_run`` would do; with errors it did nothing."""

    rows: int
    errors: Sequence[RowError]
    pools: dict[str, int] = field(default_factory=dict)  # "DG7GMGF06GW3:0001 Windows Server 2025" -> keys added
    filled: int = 0  # lines that waited and got their keys
    dry_run: bool = False

    @property
    def added(self) -> int:
        """How many keys came into stock."""
        return sum(self.pools.values())


@dataclass(frozen=True, slots=True)
class _Known:
    """A row that fits: the SKU's number here, and the fingerprints of its key, under the secret in use first."""

    row: KeyRow
    sku: int
    fingerprints: Sequence[bytes]


def import_keys(
    source: BinaryIO | Iterable[KeyRow | RowError],
    *,
    by: Actor | None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> KeyImport:
    """Take keys into stock and give them to the lines that wait, oldest first. ``by`` None: the command line.

    ``source`` is a sheet or rows that were read from one. Any error in any row: nothing is imported, and every error
    is named by its line. ``progress`` is told how many keys were stored; what it raises undoes the import.

    Raises:
        Forbidden: only an operator admin keeps the stock.
    """
    if by is not None:
        require(by, "operator.manage")
    vault.refresh()
    secret = vault.key_id()
    read = list(read_key_sheet(cast("BinaryIO", source)) if hasattr(source, "read") else source)
    errors = [each for each in read if isinstance(each, RowError)]
    rows = [each for each in read if not isinstance(each, RowError)]
    known, unknown = _known(rows)
    errors = sorted([*errors, *unknown, *_in_stock(known)], key=lambda error: error.line)
    pools = dict(Counter(f"{row.product_id}:{row.sku_id} {row.version}" for row in rows))
    if errors:
        return KeyImport(len(rows), errors, dry_run=dry_run)
    if dry_run:
        return KeyImport(len(rows), [], pools, _would_fill(known), dry_run=True)
    return KeyImport(len(rows), [], pools, _store(known, by, progress, secret))


def _known(rows: Sequence[KeyRow]) -> tuple[list[_Known], list[RowError]]:
    wanted = {row.product_id for row in rows}
    found: dict[tuple[str, str], int] = {}
    for some in _chunks(sorted(wanted)):
        query = select(Product.product_id, Sku.sku_id, Sku.id).join(Sku).where(Product.product_id.in_(some))
        found |= {(product, sku): number for product, sku, number in session.execute(query.where(Product.has_keys))}
    known, errors = [], []
    for row in rows:
        number = found.get((row.product_id, row.sku_id))
        if number is None:
            errors.append(RowError(row.line, _unknown(row), "SkuId"))
        else:
            known.append(_Known(row, number, vault.fingerprints(row.key, sku=number)))
    return known, errors


def _unknown(row: KeyRow) -> str:
    return _(
        "No product in the catalogue has keys under %(product)s:%(sku)s. Import the price sheet first.",
        product=row.product_id,
        sku=row.sku_id,
    )


def _in_stock(known: Sequence[_Known]) -> Iterator[RowError]:
    """Keys that were imported before, told by their fingerprints: nothing is decrypted."""
    for some in _chunks(known):
        prints = [each for one in some for each in one.fingerprints]
        query = select(ProductKey.sku_id, ProductKey.fingerprint).where(ProductKey.fingerprint.in_(prints))
        stored = {(sku, bytes(value)) for sku, value in session.execute(query)}
        for each in some:
            if any((each.sku, one) in stored for one in each.fingerprints):
                sentence = _("This key is in stock already. It ends in %(end)s.", end=each.row.last_five)
                yield RowError(each.row.line, sentence, "ProductKey")


def _would_fill(known: Sequence[_Known]) -> int:
    """How many of the waits would end; lines that need keys of several pools may need more."""
    new = Counter((each.sku, each.row.version) for each in known)
    return sum(min(count, _waiting(sku, version)) for (sku, version), count in new.items())


def _waiting(sku: int, version: str) -> int:
    query = select(KeyWait.id).join(KeyPool).where(KeyPool.sku_id == sku, KeyPool.version == version)
    return len(session.scalars(query.where(KeyWait.ended_at.is_(None))).all())


def _store(known: Sequence[_Known], by: Actor | None, progress: Progress | None, secret: str) -> int:
    pools = defaultdict(list)
    for each in known:
        pools[each.sku, each.row.version].append(each)
    filled = stored = 0
    for (sku, version), keys in sorted(pools.items()):
        pool = pool_for(sku, version)
        for_update(type(pool), pool.id)  # who finds the pool empty now waits for us and looks again
        for some in _chunks(keys):
            _insert(some, pool.id, by)
            stored += len(some)
            if progress is not None:
                progress(stored)
        filled += fill_waiting(pool, by=by)
    _refuse_old_secret(secret)
    names = sorted({f"{each.row.product_id}:{each.row.sku_id} {each.row.version}" for each in known})
    audit.record("import_keys", by=by, resource=("key_stock", ""), keys=len(known), pools=names, filled=filled)
    return filled


def _refuse_old_secret(secret: str) -> None:
    """Nothing is left under a secret that was replaced since we began: its last keys may be counted already.

    ``secret`` is the name of the one that was in use then: another thread may have taken notice of the new one.
    """
    vault.refresh()
    if vault.key_id() != secret:
        raise Conflict(
            _("The secret of product keys was changed at the same moment. Nothing was imported."),
            advice=_("Import the file again."),
        )


def _insert(keys: Sequence[_Known], pool: int, by: Actor | None) -> None:
    try:
        session.execute(insert(ProductKey), [_row(each, pool, by) for each in keys])
    except IntegrityError as error:
        raise Conflict(
            _("Somebody else imported some of these keys at the same moment. Nothing was imported."),
            advice=_("Import the file again to see which."),
        ) from error


def _row(each: _Known, pool: int, by: Actor | None) -> dict[str, object]:
    sealed = vault.seal(each.row.key, sku=each.sku)
    return {
        "pool_id": pool,
        "sku_id": each.sku,
        "ciphertext": sealed.ciphertext,
        "key_id": sealed.key_id,
        "fingerprint": each.fingerprints[0],
        "last_five": each.row.last_five,
        "state": KeyState.FREE,
        "imported_at": now(),
        "imported_by_id": by.id if by else None,
    }


def _chunks(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    rest = iter(items)
    while some := list(islice(rest, CHUNK)):
        yield some
