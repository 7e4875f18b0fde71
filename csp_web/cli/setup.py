"""Set up, upgrade and run an installation."""

from __future__ import annotations

import sys
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import click
from sqlalchemy import select
from sqlalchemy.engine import make_url

from csp_web import db, migrate
from csp_web.cli.base import attach, check_revision
from csp_web.config import Settings, load
from csp_web.domain.delivery.transfer_bytes import byte_log
from csp_web.domain.stock import vault
from csp_web.domain.upkeep import first_setup
from csp_web.domain.upkeep.installation import install_rules
from csp_web.models import ProductKey
from csp_web.serving import Limits, TrustedProxies, serve

if TYPE_CHECKING:
    from flask import Flask


@click.command()
def init() -> None:
    """Make the database and the rules that ship with csp-web. Safe to repeat."""
    settings = load()
    _bring_up(settings)
    click.echo(f"Ready: {_without_password(settings.database_url)}")
    if first_setup.offer():
        click.echo("Nobody can sign in yet. Start csp-web run and open /setup in a browser.")
        click.echo(_code_sentence())


@click.command()
def upgrade() -> None:
    """Bring the database to the shape that this version needs. Make a backup first."""
    settings = load()
    before = migrate.current(settings.database_url)
    _bring_up(settings)
    newest = migrate.newest()
    click.echo(f"Up to date: {newest}." if before == newest else f"Upgraded from {before or 'nothing'} to {newest}.")


def _bring_up(settings: Settings) -> None:
    found = migrate.current(settings.database_url)
    if found is not None:
        _refuse_newer(found)
    migrate.upgrade(settings.database_url)
    attach(settings)
    with db.transaction():
        install_rules()


def _refuse_newer(found: str) -> None:
    if found not in migrate.revisions():
        raise click.ClickException(
            f"The database is at revision {found}, which this version of csp-web does not know: it was used by a newer one."
        )


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="Port; 0 takes a free one."
)
@click.option("--processes", type=click.IntRange(1, 256), help="Processes; by default as many as cores.")
@click.option("--threads", type=click.IntRange(1, 64), help="Threads in each process.")
def run(host: str, port: int, processes: int | None, threads: int | None) -> None:
    """Serve the portal. Ctrl-C ends it cleanly, SIGHUP reloads it."""
    settings = load()
    check_revision(settings)
    attach(settings)
    _refuse_wrong_secret()
    first_setup.offer()
    if db.on_sqlite():
        db.refresh_statistics()
    if settings.public_url == Settings.public_url:  # not set: then it is where we listen
        settings = replace(settings, public_url=f"http://{_reachable(host)}:{port}")
    db.session.remove()
    db.engine().dispose()  # what follows forks
    sys.exit(
        serve(
            lambda: _application(settings),
            host=host,
            port=port,
            processes=processes or settings.processes or None,
            threads=threads or settings.threads,
            on_ready=_announce,
            background=lambda stop: _jobs(settings, stop),
            limits=Limits(max_request_body=_largest_body(settings)),
            proxies=TrustedProxies(settings.trusted_proxies) if settings.trusted_proxies else None,
            at_end=byte_log.flush,
        )
    )


def _refuse_wrong_secret() -> None:
    """A secret that is lost or exchanged is noticed at the start, not when the first customer wants a key."""
    last = db.session.scalar(select(ProductKey.key_id).order_by(ProductKey.id.desc()).limit(1))
    if last is not None and last not in vault.key_ids():
        raise click.ClickException(
            "The stored product keys were encrypted under another secret than CSP_WEB_KEYS_KEY (or keys-key in the data "
            "directory) holds now. Bring it back from your backup."
        )


def _announce(host: str, port: int) -> None:
    click.echo(f"csp-web is ready on http://{_reachable(host)}:{port} (Ctrl-C ends it)")
    if first_setup.code():
        click.echo(f"Nobody can sign in yet. Set it up at http://{_reachable(host)}:{port}/setup")
        click.echo(_code_sentence())


def _code_sentence() -> str:
    return f"Setup code: {first_setup.code()} (also in {first_setup.code_file()}; it is good for the first person only)"


def _reachable(host: str) -> str:
    """How the address is typed into a browser on this machine."""
    if host in {"", "*", "0.0.0.0", "::"}:  # noqa: S104 -- compared, not bound
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _largest_body(settings: Settings) -> int:
    """All files of a ticket and room for the rest of the form: what is larger is not even received."""
    return (settings.max_ticket_mb + 16) * 1024 * 1024


def _application(settings: Settings) -> Flask:
    from csp_web.app import create_app

    return create_app(settings)


def _jobs(settings: Settings, stop: threading.Event) -> None:
    from csp_web.domain.long_work.worker import run_worker

    run_worker(stop, settings)


def _without_password(url: str) -> str:
    return make_url(url).render_as_string(hide_password=True)
