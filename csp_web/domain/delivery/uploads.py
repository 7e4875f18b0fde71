"""Installer files that go up in pieces, and go on where they stopped: after a cut, a reload, in another browser (R22, B5).

A piece counts once it is on the disk and its row says so. Pieces are taken in their order only, one at a time over all
processes: whoever sends another one is told where to go on. The whole file is read once for its SHA-256, stored, and
becomes an option in the same transaction that ends its upload.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from csp_web.db import for_update, now, session, transaction
from csp_web.domain import audit
from csp_web.domain.access.actors import Actor, require
from csp_web.domain.delivery.download_options import (
    LARGEST_FILE,
    SPARE,
    OptionFacts,
    add_file,
    checked,
    free_for_files,
    let_go,
    offered,
    taken,
)
from csp_web.domain.delivery.signatures import Signature
from csp_web.domain.upkeep import configured
from csp_web.domain.upkeep.configured import file_store
from csp_web.errors import Busy, Invalid, NotFound, Refused, StorageFull
from csp_web.i18n import format_size, ngettext
from csp_web.i18n import gettext as _
from csp_web.models import DownloadOption, Product, Upload
from csp_web.services.files import Readable, StoredFile
from csp_web.services.piece_files import PieceFiles

LARGEST_PIECE = 64 * 1024**2  # bytes
KEPT_FOR = timedelta(days=7)
NOBODYS_AFTER = timedelta(hours=1)
END_SECONDS = 15.0  # another tab may be storing the same file: who comes second sees the same end


class WrongOffset(Exception):
    """A piece that is not the next one; ``right`` bytes are there."""

    def __init__(self, right: int) -> None:
        super().__init__(f"{right} bytes are there.")
        self.right = right


@dataclass(frozen=True, slots=True)
class LocalFile:
    """How a browser knows a file again: size in bytes, last change in milliseconds, SHA-256 of its first bytes."""

    name: str
    size: int
    modified: int
    head_sha256: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to happen at the end: take another file's place, have this SHA-256, lie beside this signature."""

    replace: bool = False
    expected: str = ""
    signature: Signature | None = None


def pieces() -> PieceFiles:
    """Where pieces lie: in the data directory, outside the store, so that no backup holds them."""
    return PieceFiles(configured.settings().data_dir / "uploads")


def begin_upload(product: Product, facts: OptionFacts, file: LocalFile, wanted: Wanted, *, by: Actor) -> Upload:
    """Begin an upload, or find the one that was begun for the same file and the same names, whoever began it.

    Raises:
        Forbidden: only an operator admin keeps files. Invalid: a name does not fit, or the file is empty or too large.
        Conflict: there is a file under these names. StorageFull: the disk has no room for it.
    """
    require(by, "operator.manage")
    facts = checked(product, facts)
    _refuse_size(file.size)
    for_update(Product, product.id)  # two who begin the same at once take turns
    existing = offered(product.id, facts)
    if existing is not None and not wanted.replace:
        raise taken(existing)
    identity = _identity(product, facts, file)
    upload = _begun(identity) or _new(identity, product, by)
    upload.replace, upload.expected_sha256 = wanted.replace, wanted.expected
    if wanted.signature is not None:
        upload.signature, upload.signature_kind = wanted.signature.content, wanted.signature.kind
    session.flush()
    if problem := shortage():
        raise StorageFull(problem, advice=_("Discard an unfinished upload, or tell your administrator."))
    return upload


def _refuse_size(size: int) -> None:
    if size < 1:
        raise Invalid({"file": _("The file is empty.")})
    if size > LARGEST_FILE:
        raise Invalid({"file": _("The file is larger than %(limit)s bytes.", limit=LARGEST_FILE)})


def _identity(product: Product, facts: OptionFacts, file: LocalFile) -> dict[str, Any]:
    """By what an upload is known again: which file, for which place."""
    place = {"product_id": product.id, **asdict(facts)}
    return {**place, "size": file.size, "modified": file.modified, "head_sha256": file.head_sha256}


def _begun(identity: dict[str, Any]) -> Upload | None:
    same = select(Upload).filter_by(**identity, option_id=None)
    return session.scalar(same.order_by(Upload.id).limit(1))


def _new(identity: dict[str, Any], product: Product, by: Actor) -> Upload:
    upload = Upload(**identity, key=secrets.token_hex(16), received=0, begun_by_id=by.id)
    session.add(upload)
    session.flush()
    _record("begin_upload", upload, by, product=product.title)
    return upload


def shortage() -> str:
    """Why no unfinished upload can go on now: the disk has no room for what they lack; empty when it has."""
    open_ones = select(func.sum(Upload.size - Upload.received)).where(Upload.option_id.is_(None))
    lacking, free = int(session.scalar(open_ones) or 0), _free()
    if lacking <= free:
        return ""
    return _(
        "The disk of the server has room for %(free)s, and the unfinished uploads still need %(need)s.",
        free=format_size(free),
        need=format_size(lacking),
    )


def _free() -> int:
    """Bytes left where pieces lie and where whole files lie: often the same disk, else the one with less counts."""
    here, there = max(pieces().free() - SPARE, 0), free_for_files()
    return here if there is None else min(here, there)


def refuse_other_file(upload: Upload, file: LocalFile) -> None:
    """Only the same file goes on. Raises Invalid."""
    known = LocalFile(upload.file_name, upload.size, upload.modified, upload.head_sha256)
    if file != known:
        sentence = _(
            "This is another file, or it was changed. Choose %(name)s with %(size)s, as it was then.",
            name=upload.file_name,
            size=ngettext("%(num)s byte", "%(num)s bytes", upload.size),
        )
        raise Invalid({"file": sentence})


@contextmanager
def receiving(upload: Upload, offset: int, stream: Readable, *, length: int) -> Iterator[int]:
    """Put a piece on the disk, outside any transaction, while nobody else does; gives how many bytes came.

    Use it as ``with receiving(…) as count, transaction(): note_piece(upload, offset, count)``.

    Raises:
        WrongOffset: this is not the next piece. Invalid: it is empty, or more than is missing. StorageFull.
        Busy: another piece of the file is being written for too long. NotFound: the upload was discarded.
    """
    with _alone(upload) as (number, key):
        right, size = _received(number, key)
        if offset != right:
            raise WrongOffset(right)
        if not 0 < length <= min(LARGEST_PIECE, size - offset):
            raise Invalid({"file": _("The piece does not fit.")})
        yield pieces().write(key, offset, stream, most=length)


@contextmanager
def _alone(upload: Upload, *, seconds: float = 20) -> Iterator[tuple[int, str]]:
    """Have an upload to oneself; its row is free meanwhile, and is to be read again."""
    number, key = upload.id, upload.key
    session.rollback()
    with pieces().claim(key, seconds=seconds) as mine:
        if not mine:
            raise Busy(_("This file is being stored at the moment. Look at the list of files in a minute."))
        yield number, key


def _received(number: int, key: str) -> tuple[int, int]:
    """How many bytes are safe, of how many. After a restore there may be fewer than the row says: the row follows."""
    row = _unfinished(session.get(Upload, number))
    right, size = min(row.received, pieces().size(key)), row.size
    if right < row.received:
        with transaction():
            for_update(Upload, number).received = right
    session.rollback()
    return right, size


def _unfinished(row: Upload | None) -> Upload:
    if row is None:
        raise NotFound
    if row.option_id is not None:
        raise Refused(_("This file is offered already."))
    return row


def note_piece(upload: Upload, offset: int, count: int) -> Upload:
    """The piece is on the disk: it counts from now on. Raises WrongOffset, Refused, NotFound."""
    row = _unfinished(for_update(Upload, upload.id))
    if row.received != offset:
        raise WrongOffset(row.received)
    row.received, row.touched_at = offset + count, now()
    session.flush()
    return row


@contextmanager
def finishing(upload: Upload) -> Iterator[StoredFile | None]:
    """Store a file that is whole, outside any transaction; None when somebody has finished it meanwhile.

    Use it as ``with finishing(upload) as stored, transaction(): finish_upload(upload, stored=stored, …)``.

    Raises:
        Refused: pieces are missing. Busy: it is being stored. StorageFull: there is no room for it in the store.
    """
    with _alone(upload, seconds=END_SECONDS) as (number, key):
        if session.scalar(select(Upload.option_id).filter_by(id=number)) is not None:
            yield None
            return
        right, size = _received(number, key)
        if right < size:
            raise Refused(_("%(left)s of this file are still missing.", left=format_size(size - right)))
        stored = file_store().adopt(pieces().path(key))
        with let_go(stored):
            yield stored
        pieces().delete(key)


def finish_upload(upload: Upload, *, stored: StoredFile | None, by: Actor, wanted: Wanted) -> DownloadOption:
    """Offer the file that came. Once it is offered, the same again changes nothing.

    Raises:
        Forbidden, Invalid, Conflict: as ``add_file``; the pieces stay, and it can be tried again.
    """
    require(by, "operator.manage")
    row = for_update(Upload, upload.id)
    if row.option_id is None and stored is not None:
        option = add_file(
            row.product,
            OptionFacts(row.version, row.language, row.file_type, row.file_name),
            stored=stored,
            by=by,
            replace=wanted.replace,
            signature=Signature(row.signature_kind, row.signature) if row.signature else None,
            expected=wanted.expected,
        )
        row.option_id = option.id
        session.flush()
    return session.get_one(DownloadOption, row.option_id)


@contextmanager
def discarding(upload: Upload) -> Iterator[None]:
    """Delete the pieces once the upload is forgotten: ``with discarding(upload), transaction(): discard_upload(…)``."""
    with _alone(upload, seconds=2) as (_number, key):
        yield
        pieces().delete(key)


def discard_upload(upload: Upload, *, by: Actor) -> None:
    """Forget an upload and what came of it. Raises Forbidden, Refused: the file is offered already."""
    require(by, "operator.manage")
    row = _unfinished(for_update(Upload, upload.id))
    _record("discard_upload", row, by)
    session.delete(row)
    session.flush()


def sweep_uploads(at: datetime) -> int:
    """The periodic job: forget uploads to which nothing came for a week, and pieces that no row names; says how many."""
    with transaction():
        old = list(session.scalars(select(Upload).where(Upload.touched_at < at - KEPT_FOR).with_for_update()))
        for row in old:
            if row.option_id is None:
                _record("discard_upload", row, None, reason=_("Nothing came for %(days)s days.", days=KEPT_FOR.days))
            session.delete(row)
    lying = pieces().older_than(NOBODYS_AFTER)
    named = set(session.scalars(select(Upload.key).where(Upload.option_id.is_(None))))
    session.rollback()
    for key in lying - named:
        pieces().delete(key)
    return len(old)


def _record(operation: str, upload: Upload, by: Actor | None, **details: Any) -> None:
    audit.record(
        operation,
        by=by,
        resource=("upload", upload.id),
        file_name=upload.file_name,
        version=upload.version,
        language=upload.language,
        file_type=upload.file_type,
        size=upload.size,
        **details,
    )
