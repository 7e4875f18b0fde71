"""Installer files: taken in with their SHA-256, offered as version x language x file type/OS, withdrawn (R22, R23)."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from csp_web.db import for_update, now, session
from csp_web.domain import audit
from csp_web.domain.access.actors import Actor, require
from csp_web.domain.delivery.file_sheet import file_name as checked_file_name
from csp_web.domain.delivery.signatures import Signature, sign
from csp_web.domain.upkeep.configured import file_store, settings
from csp_web.errors import Conflict, Invalid, Refused, StorageFull
from csp_web.i18n import format_size
from csp_web.i18n import gettext as _
from csp_web.identifiers import clean_text
from csp_web.models import DownloadOption, Product
from csp_web.said import stored
from csp_web.services.files import FileTooLarge, Readable, StoredFile

LONGEST_NAME = 100
LARGEST_FILE = 64 * 1024**3  # bytes
SPARE = 256 * 1024**2  # bytes of the disk that installer files leave to everything else
_SUM = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class OptionFacts:
    """What a file is: which version, in which language, of which form."""

    version: str
    language: str
    file_type: str
    file_name: str


@contextmanager
def incoming(stream: Readable, *, max_bytes: int = LARGEST_FILE) -> Iterator[StoredFile]:
    """Store a file first, outside any transaction, for a large one takes minutes; nothing is left of it if the act fails.

    Use it as ``with incoming(stream) as stored, transaction(): add_file(…, stored=stored, by=…)``.

    Raises:
        Invalid: the file has more than ``max_bytes`` bytes. StorageFull: the disk is full.
    """
    store = file_store()
    try:
        stored = store.save(stream, max_bytes=max_bytes)
    except FileTooLarge as error:
        raise Invalid({"file": _("The file is larger than %(limit)s bytes.", limit=error.limit)}) from error
    with let_go(stored):
        yield stored


@contextmanager
def let_go(stored: StoredFile) -> Iterator[None]:
    """Delete a stored file at the end, unless it is offered by then."""
    try:
        yield
    finally:
        if session.scalar(select(DownloadOption.id).filter_by(storage_key=stored.key).limit(1)) is None:
            file_store().delete(stored.key)
        session.rollback()


def free_for_files() -> int | None:
    """Bytes that the disk has left for files, beside a reserve; None where a store elsewhere takes them."""
    found = settings()
    if found.files_in_s3:
        return None
    there = next(folder for folder in (found.files_dir, *found.files_dir.parents) if folder.is_dir())
    return max(shutil.disk_usage(there).free - SPARE, 0)


def refuse_before(product: Product, facts: OptionFacts, *, size: int, replace: bool) -> None:
    """What can be refused before a large file is copied, so that nobody waits for nothing.

    Raises:
        Invalid: a name does not fit. Conflict: there is surely another file under these names.
        StorageFull: the disk has no room for it.
    """
    facts = checked(product, facts)
    existing = offered(product.id, facts)
    if existing is not None and not replace and (existing.size, existing.file_name) != (size, facts.file_name):
        raise taken(existing)
    free = free_for_files()
    if free is not None and free < size:
        sentence = _(
            "The disk of the server has room for %(free)s, and this file has %(size)s.",
            free=format_size(free),
            size=format_size(size),
        )
        raise StorageFull(sentence, advice=_("Free some space first. Nothing was stored."))


def add_file(
    product: Product,
    facts: OptionFacts,
    *,
    stored: StoredFile,
    by: Actor | None,
    replace: bool = False,
    signature: Signature | None = None,
    expected: str = "",
) -> DownloadOption:
    """Offer a file for a product. ``by`` None: the command line. ``expected``: the SHA-256 that it has to have.

    The same file under the same names again changes nothing but its signature, where one is given. Another file under the
    same names is refused, unless
    ``replace``: then the old one is withdrawn, with its links, and its row stays.

    Raises:
        Forbidden: only an operator admin keeps files.
        Invalid: a name does not fit, the product has no files, or the file has another sum than was expected.
        Conflict: there is another file under these names.
    """
    if by is not None:
        require(by, "operator.manage")
    facts = checked(product, facts)
    _refuse_other_sum(stored, expected)
    for_update(Product, product.id)  # two who add the same at once take turns
    existing = offered(product.id, facts)
    if existing is not None:
        if existing.sha256 == stored.sha256 and existing.file_name == facts.file_name:
            if signature is not None:
                sign(existing, signature)
                _record("sign_file", existing, by)
            return existing
        if not replace:
            raise taken(existing)
        _withdraw(existing, by, _("Replaced by a newer file."))
    option = _add(product, facts, stored, by)
    sign(option, signature)
    return option


def expected_sum(text: str) -> str:
    """A SHA-256 as somebody typed or pasted it, with or without the file's name behind it; empty: nothing is expected.

    Raises:
        Invalid: it is none.
    """
    digest = (text.split() or [""])[0].lower()
    if digest and not _SUM.fullmatch(digest):
        raise Invalid({"sha256": _("A SHA-256 has 64 digits, from 0 to 9 and a to f.")})
    return digest


def _refuse_other_sum(stored: StoredFile, expected: str) -> None:
    if expected and expected != stored.sha256:
        sentence = _("The file that came has another SHA-256: %(sum)s. It is not offered.", sum=stored.sha256)
        raise Invalid({"sha256": sentence})


def checked(product: Product, facts: OptionFacts) -> OptionFacts:
    """The facts, tidied. Raises Invalid: a name does not fit, or the product has no files."""
    problems = {} if product.has_files else {"product": _("This product has no files.")}
    values = {}
    for name in ("version", "language", "file_type", "file_name"):
        values[name] = " ".join(clean_text(getattr(facts, name)).split())
        if not values[name]:
            problems[name] = _("Fill this in.")
        elif len(values[name]) > LONGEST_NAME and name != "file_name":
            problems[name] = _("At most %(count)s characters.", count=LONGEST_NAME)
    try:
        checked_file_name(values["file_name"])
    except ValueError as error:
        problems.setdefault("file_name", str(error))
    if problems:
        raise Invalid(problems)
    return OptionFacts(**values)


def products_with_files() -> list[tuple[int, str]]:
    """Products that may have files, for choosing one: number, title with its public id."""
    rows = session.execute(select(Product.id, Product.title, Product.product_id).where(Product.has_files))
    return sorted(((number, f"{title} ({code})") for number, title, code in rows), key=lambda pair: pair[1])


def offered(product: int, facts: OptionFacts) -> DownloadOption | None:
    """The file that is offered now under these names."""
    return session.scalar(
        select(DownloadOption).filter_by(
            product_id=product,
            version=facts.version,
            language=facts.language,
            file_type=facts.file_type,
            withdrawn_at=None,
        )
    )


def taken(existing: DownloadOption) -> Conflict:
    """The refusal of a second file under the same names."""
    sentence = _(
        "There is already a file for %(version)s, %(language)s, %(file_type)s: %(name)s.",
        version=existing.version,
        language=existing.language,
        file_type=existing.file_type,
        name=existing.file_name,
    )
    return Conflict(sentence, advice=_("Withdraw it first, or choose to replace it."))


def _add(product: Product, facts: OptionFacts, stored: StoredFile, by: Actor | None) -> DownloadOption:
    option = DownloadOption(
        product_id=product.id,
        version=facts.version,
        language=facts.language,
        file_type=facts.file_type,
        file_name=facts.file_name,
        size=stored.size,
        sha256=stored.sha256,
        storage_key=stored.key,
        added_by_id=by.id if by else None,
    )
    session.add(option)
    session.flush()
    _record("add_file", option, by, size=stored.size, sha256=stored.sha256)
    return option


def withdraw_file(option: DownloadOption, *, by: Actor | None, reason: str) -> None:
    """Offer a file no longer. Its links say so, and its running transfers stop at their next range.

    Raises:
        Forbidden: only an operator admin keeps files. Invalid: no reason. Refused: it was withdrawn before.
    """
    if by is not None:
        require(by, "operator.manage")
    reason = clean_text(reason)
    if not reason:
        raise Invalid({"reason": _("Say why; people with a link to this file will read it.")})
    _withdraw(option, by, reason[:500])


def _withdraw(option: DownloadOption, by: Actor | None, reason: str) -> None:
    option = for_update(DownloadOption, option.id)
    if option.withdrawn_at is not None:
        raise Refused(_("This file has already been withdrawn."))
    option.withdrawn_at, option.withdrawn_reason = now(), stored(reason)
    session.flush()
    _record("withdraw_file", option, by, reason=reason)


def _record(operation: str, option: DownloadOption, by: Actor | None, **details: Any) -> None:
    audit.record(
        operation,
        by=by,
        resource=("download_option", option.id),
        product=option.product.title,
        version=option.version,
        language=option.language,
        file_type=option.file_type,
        file_name=option.file_name,
        **details,
    )
