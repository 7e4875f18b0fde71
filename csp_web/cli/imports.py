"""Price sheets, product keys and customers from files: all of a file or nothing of it."""

from __future__ import annotations

from pathlib import Path

import click
from sqlalchemy import select

from csp_web import db
from csp_web.cli.base import as_option, dry_run_option, existing_file, open_installation, operator_admin, person, trial
from csp_web.cli.progress import counted, progress, refuse_rows
from csp_web.domain.companies.customer_import import CustomerImport, import_customers
from csp_web.domain.companies.customer_sheet import read_customer_sheet
from csp_web.domain.sales.price_import import ImportReport, import_price_sheet
from csp_web.domain.stock.key_import import KeyImport, import_keys
from csp_web.domain.stock.key_sheet import read_key_sheet
from csp_web.models import Partner, Role, User, UserRole


@click.group()
def catalog() -> None:
    """Products and prices."""


@catalog.command("import")
@click.argument("file", type=existing_file)
@dry_run_option
@as_option
def import_catalog(file: Path, dry_run: bool, email: str | None) -> None:
    """Import a price sheet (CSV) as exported from the vendor's portal.

    Importing it twice changes nothing; a newer sheet ends the older prices on its start date.
    """
    open_installation()
    with file.open("rb") as stream, progress("Prices", _lines(file)) as step:
        report = import_price_sheet(stream, file.name, by=operator_admin(email), dry_run=dry_run, progress=step)
    refuse_rows(report.errors, file=str(file), count=report.error_count)
    if not dry_run:
        db.refresh_statistics()
    click.echo(_said_of_prices(report))


def _said_of_prices(report: ImportReport) -> str:
    counts = (
        ("rows read", report.rows),
        ("new products", report.new_products),
        ("new SKUs", report.new_skus),
        ("other titles", report.retitled),
        ("new prices", report.added),
        ("prices ended by newer ones", report.ended),
        ("prices corrected", report.corrected),
        ("prices unchanged", report.unchanged),
        ("prices in these markets that the sheet does not name", report.not_named),
    )
    return _counts(counts, dry_run=report.dry_run)


def _counts(counts: tuple[tuple[str, int], ...], *, dry_run: bool) -> str:
    lines = [f"{count:>9,}  {name}" for name, count in counts]
    return "\n".join(["Dry run, nothing was written." if dry_run else "Imported.", *lines])


@click.group()
def keys() -> None:
    """The stock of product keys."""


@keys.command("import")
@click.argument("file", type=existing_file)
@dry_run_option
@as_option
def import_key_sheet(file: Path, dry_run: bool, email: str | None) -> None:
    """Import product keys (CSV: ProductId, SkuId, Version, ProductKey).

    They are encrypted; lines that wait for keys get theirs, oldest first.
    """
    open_installation()
    with file.open("rb") as stream, progress("Keys", _lines(file)) as step, db.transaction():
        rows = counted(read_key_sheet(stream), step)
        report = import_keys(rows, by=operator_admin(email), dry_run=dry_run)
    refuse_rows(report.errors, file=str(file))
    if not dry_run:
        db.refresh_statistics()
    click.echo(_said_of_keys(report))


def _said_of_keys(report: KeyImport) -> str:
    pools = tuple((f"keys of {name}", count) for name, count in sorted(report.pools.items()))
    totals = (("keys in all", report.added), ("waiting lines that get theirs", report.filled))
    return _counts(pools + totals, dry_run=report.dry_run)


@click.group()
def customers() -> None:
    """The partners' customers."""


@customers.command("import")
@click.argument("file", type=existing_file)
@click.option(
    "--partner", metavar="NAME", help="Whose customers they become; not needed with --as or a single partner."
)
@click.option("--country", metavar="CODE", default="", help="For sheets without a column Country.")
@dry_run_option
@click.option("--as", "email", metavar="EMAIL", help="Who acts; by default the first admin agent of the partner.")
def import_customer_sheet(file: Path, partner: str | None, country: str, dry_run: bool, email: str | None) -> None:
    """Import customers (CSV: Microsoft ID, Company name, Primary domain name, Country)."""
    open_installation()
    actor = person(email, Role.ADMIN_AGENT, partner=partner or (None if email else _only_partner()))
    report = CustomerImport()
    with (
        file.open("rb") as stream,
        progress("Customers", _lines(file)) as step,
        trial(keep=lambda: not (report.errors or dry_run)),
    ):
        report = import_customers(read_customer_sheet(stream), by=actor, country=country.upper(), progress=step)
    refuse_rows(report.errors, file=str(file))
    if not dry_run:
        db.refresh_statistics()
    counts = (("rows read", report.rows), ("added", report.added), ("unchanged", report.unchanged))
    click.echo(_counts(counts, dry_run=dry_run))


def _only_partner() -> str:
    """The one organisation that has an admin agent."""
    having = select(Partner.name).join(User).join(UserRole, UserRole.user_id == User.id)
    names = db.session.scalars(having.where(UserRole.role == Role.ADMIN_AGENT).distinct().order_by(Partner.name)).all()
    if len(names) != 1:
        there = f" There are: {', '.join(names)}." if names else " None has an admin agent yet: csp-web user add --help"
        raise click.UsageError(f"Say whose customers they become: --partner NAME.{there}")
    return names[0]


def _lines(file: Path) -> int:
    """About how many rows a file has, for the progress bar."""
    with file.open("rb") as stream:
        return sum(block.count(b"\n") for block in iter(lambda: stream.read(1024 * 1024), b""))
