"""Installer files, from the command line: no upload through a browser for a file of many gigabytes."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import IO

import click
from sqlalchemy import select

from csp_web.cli.base import as_option, dry_run_option, existing_file, open_installation, operator_admin, trial
from csp_web.cli.progress import Step, progress
from csp_web.db import session, transaction
from csp_web.domain.delivery.download_options import OptionFacts, add_file, expected_sum, incoming, refuse_before
from csp_web.domain.delivery.signatures import Signature, read_signature
from csp_web.models import Product
from csp_web.services.files import BLOCK, StoredFile


@click.group()
def files() -> None:
    """Installer files."""


@files.command("add")
@click.argument("file", type=existing_file)
@click.option("--product", required=True, metavar="ID", help="ProductId, like DG7GMGF06GW3.")
@click.option("--version", required=True, help='Like "Windows Server 2025".')
@click.option("--language", required=True, help='Like "English (en-US)".')
@click.option("--file-type", required=True, help='File type/OS, like "64 Bit, ISO".')
@click.option("--name", help="Name under which it is downloaded; by default the file's own.")
@click.option("--signature", type=existing_file, help="Detached signature to lie beside it, .asc or .sig, up to 64 KB.")
@click.option(
    "--sha256", default="", metavar="SUM", help="What its maker says it is; a file with another one is refused."
)
@click.option("--replace", is_flag=True, help="Withdraw the file that has this place now; its links end.")
@dry_run_option
@as_option
def add(
    file: Path,
    product: str,
    version: str,
    language: str,
    file_type: str,
    name: str | None,
    signature: Path | None,
    sha256: str,
    replace: bool,
    dry_run: bool,
    email: str | None,
) -> None:
    """Register an installer FILE: it is copied into the store, with its SHA-256.

    The file is offered once all of it is on the disk, or not at all: a command that is killed leaves nothing that anybody
    sees, and what lies beside is swept after a day. Start it again; it reads FILE from its beginning.
    """
    open_installation()
    facts, expected = OptionFacts(version, language, file_type, name or file.name), expected_sum(sha256)
    beside, size = _signature(signature), file.stat().st_size
    refuse_before(_product(product), facts, size=size, replace=replace)
    session.rollback()

    def offer(stored: StoredFile) -> bool:
        """Whether it was not there before."""
        by = operator_admin(email)
        option = add_file(
            _product(product), facts, stored=stored, by=by, replace=replace, signature=beside, expected=expected
        )
        return option.storage_key == stored.key

    with file.open("rb") as stream, progress("Bytes", size) as step:
        watched, new = _Watched(stream, step), True
        if dry_run:
            stored = _only_read(watched)
            with trial(keep=lambda: False):
                new = offer(stored)
        else:
            with incoming(watched) as stored, transaction():
                new = offer(stored)
    said = "Dry run, nothing was written." if dry_run else "Registered." if new else "This file is offered already."
    click.echo(f"{said}\n{stored.size:,} bytes, SHA-256 {stored.sha256}")


def _signature(path: Path | None) -> Signature | None:
    if path is None:
        return None
    with path.open("rb") as stream:
        return read_signature(path.name, stream)


def _product(product_id: str) -> Product:
    found = session.scalar(select(Product).filter_by(product_id=product_id.strip().upper()))
    if found is None:
        raise click.ClickException(
            f"There is no product {product_id}. Import the price sheet first: csp-web catalog import"
        )
    return found


class _Watched:
    """A stream that says how far it was read."""

    def __init__(self, stream: IO[bytes], step: Step) -> None:
        self._stream, self._step, self._done = stream, step, 0

    def read(self, size: int = -1, /) -> bytes:
        block = self._stream.read(size)
        self._done += len(block)
        self._step(self._done)
        return block


def _only_read(stream: _Watched) -> StoredFile:
    """What the store would say of a file."""
    digest, size = hashlib.sha256(), 0
    while block := stream.read(BLOCK):
        digest.update(block)
        size += len(block)
    return StoredFile("0" * 32, size, digest.hexdigest())
