"""Installer files on their way in, for tests: begun by the operator, piece by piece."""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING, Any

from csp_web.db import session, transaction
from csp_web.domain.delivery.download_options import OptionFacts
from csp_web.domain.delivery.uploads import (
    LocalFile,
    Wanted,
    begin_upload,
    finish_upload,
    finishing,
    note_piece,
    receiving,
)
from csp_web.models import DownloadOption, Product, Upload
from tests.support.files import ENGLISH, ISO, OWN

if TYPE_CHECKING:
    from tests.world import World

CONTENT = bytes(range(256)) * 40
NAME = "windows_server.iso"
MODIFIED = 1_700_000_000_123


def local(content: bytes = CONTENT, name: str = NAME, modified: int = MODIFIED) -> LocalFile:
    """A file as a browser knows it."""
    return LocalFile(name, len(content), modified, hashlib.sha256(content[:65536]).hexdigest())


def begin(world: World, file: LocalFile | None = None, *, language: str = ENGLISH, **wanted: Any) -> int:
    """Olga begins; the number of the upload."""
    product = world.offer("windows-US").sku.product_id
    file = file or local()
    with transaction():
        facts = OptionFacts(OWN, language, ISO, file.name)
        there = session.get_one(Product, product)
        return begin_upload(there, facts, file, Wanted(**wanted), by=world.actor("olga")).id


def send(number: int, offset: int, piece: bytes) -> int:
    """A piece arrives; how many bytes are there then."""
    upload = session.get_one(Upload, number)
    with receiving(upload, offset, io.BytesIO(piece), length=len(piece)) as count, transaction():
        return note_piece(upload, offset, count).received


def send_all(number: int, content: bytes = CONTENT, *, step: int = 3000) -> None:
    """All pieces, one after the other."""
    for offset in range(0, len(content), step):
        send(number, offset, content[offset : offset + step])


def finish(world: World, number: int, **wanted: Any) -> DownloadOption:
    """Olga presses Save."""
    upload, actor = session.get_one(Upload, number), world.actor("olga")
    with finishing(upload) as stored, transaction():
        return finish_upload(upload, stored=stored, by=actor, wanted=Wanted(**wanted))
