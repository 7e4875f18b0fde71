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
from csp_web.domain.delivery.download_options import OptionFacts, add_file, incoming
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
    replace: bool,
    dry_run: bool,
    email: str | None,
) -> None:
    """Register an installer FILE: it is copied into the store, with its SHA-256."""
    open_installation()
    facts = OptionFacts(version, language, file_type, name or file.name)
    beside = _signature(signature)
    with file.open("rb") as stream, progress("Bytes", file.stat().st_size) as step:
        watched = _Watched(stream, step)
        if dry_run:
            stored = _only_read(watched)
            with trial(keep=lambda: False):
                add_file(
                    _product(product), facts, stored=stored, by=operator_admin(email), replace=replace, signature=beside
                )
        else:
            with incoming(watched) as stored, transaction():
                add_file(
                    _product(product), facts, stored=stored, by=operator_admin(email), replace=replace, signature=beside
                )
    click.echo(
        f"{'Dry run, nothing was written.' if dry_run else 'Registered.'}\n{stored.size:,} bytes, SHA-256 {stored.sha256}"
    )


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
