"""Files that rows speak of: whether they are in the store, as large as the row says, with the same content."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from sqlalchemy import select

from csp_web.db import session
from csp_web.domain.upkeep.configured import file_store
from csp_web.errors import DomainError
from csp_web.models import DownloadOption, PendingFile, TicketFile
from csp_web.services.files import BLOCK, FileMissing


def damaged_files(*, read: bool) -> Iterator[str]:
    """What is wrong with stored files, a sentence each; with ``read`` their content is compared too."""
    try:
        yield from _damaged(read)
    except DomainError as refusal:  # a store elsewhere cannot be reached
        yield refusal.sentence


def _damaged(read: bool) -> Iterator[str]:
    store = file_store()
    for name, key, size, sha256 in _known_files():
        try:
            if store.size(key) != size:
                yield f"{name} has another size than when it was stored"
            elif read and _digest(key) != sha256:
                yield f"{name} has another content than when it was stored"
        except FileMissing:
            yield f"{name} is missing"


def _known_files() -> Iterator[tuple[str, str, int, str]]:
    """Name, storage key, size and SHA-256. Files of withdrawn options count: links that were made may still name them."""
    for name, model in (("file_name", DownloadOption), ("original_name", TicketFile), ("original_name", PendingFile)):
        columns = (getattr(model, name), model.storage_key, model.size, model.sha256)
        yield from session.execute(select(*columns).order_by(model.id))


def _digest(key: str) -> str:
    digest = hashlib.sha256()
    with file_store().open(key) as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()
