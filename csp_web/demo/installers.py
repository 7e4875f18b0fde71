"""Installer files of a few sizes: made up, the same for the same seed, one of them as large as a real one."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

from sqlalchemy import select

from csp_web.db import session
from csp_web.demo.catalogue import DATA
from csp_web.domain.access.actors import Actor
from csp_web.domain.delivery.download_options import OptionFacts, add_file
from csp_web.domain.delivery.file_sheet import FileRow, read_file_sheet
from csp_web.domain.upkeep.configured import file_store
from csp_web.models import Product
from csp_web.services.files import StoredFile

BLOCK = 1024 * 1024
SMALLER = 50  # so many times smaller than the sheet says
LARGE = ("DG7GMGF06GW3", "Windows Server 2025", "en-US", "64 Bit, ISO")
LARGE_SIZE = 210_000_000  # bytes
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Installer:
    """A file that was stored, and what it is for."""

    row: FileRow
    stored: StoredFile


class MadeUp(io.RawIOBase):
    """So many bytes: a line that says what this is, then noise, block by block from a few blocks of it."""

    def __init__(self, name: str, size: int, noise: bytes) -> None:
        self._head = f"csp-web demo: {name}\n".encode()
        self._size, self._noise, self._block, self._left = size, noise, 0, b""

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes, at most as many as asked for."""
        if not self._left and self._size:
            mark = self._head if self._block == 0 else b"block %d\n" % self._block
            self._left = (mark + self._noise)[: min(BLOCK, self._size)]
            self._size -= len(self._left)
            self._block += 1
        wanted = len(self._left) if size < 0 else size
        given, self._left = self._left[:wanted], self._left[wanted:]
        return given


def store_installers(luck: Random, progress: Progress) -> Iterator[Installer]:
    """Put all files of the sheet into the store; they have no rows yet."""
    with (DATA / "files.csv").open("rb") as stream:
        rows = list(read_file_sheet(stream))
    noise = luck.randbytes(BLOCK)
    for number, row in enumerate(rows, 1):
        if not isinstance(row, FileRow):
            raise ValueError(f"files.csv: {row}")
        size = _size(row, luck)
        yield Installer(row, file_store().save(MadeUp(row.file_name, size, noise), max_bytes=size))
        progress(number, len(rows))


def _size(row: FileRow, luck: Random) -> int:
    if (row.product_id, row.version, row.language.code, row.file_type) == LARGE:
        return LARGE_SIZE
    return row.size // SMALLER + luck.randrange(50_000)


def offer_installers(installers: list[Installer], by: Actor) -> None:
    """Offer the stored files for their products."""
    products = {product.product_id: product for product in session.scalars(select(Product))}
    for installer in installers:
        row = installer.row
        language = f"{row.language.name} ({row.language.code})"
        facts = OptionFacts(row.version, language, row.file_type, row.file_name)
        add_file(products[row.product_id], facts, stored=installer.stored, by=by)
