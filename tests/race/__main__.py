"""``python -m tests.race``: the long races for the last keys, on both databases; prints a table, exits with 1 on a fault."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from csp_web import db, migrate
from csp_web.config import Settings, complete
from csp_web.db import transaction
from csp_web.domain.upkeep import configured
from csp_web.domain.upkeep.installation import install_rules
from tests.race.race import Tally, race
from tests.support import postgres
from tests.support.databases import KINDS
from tests.world import World, build_world

COLUMNS = (
    "database",
    "rounds",
    "buyers",
    "keys",
    "handed out",
    "duplicates",
    "waiting",
    "told to try again",
    "seconds",
)


def main() -> int:
    """Run what was asked for. Returns how many faults were found."""
    options = argparse.ArgumentParser(prog="python -m tests.race", description=__doc__)
    options.add_argument("--clients", type=int, default=64, help="buyers at the same moment, over two processes")
    options.add_argument("--rounds", type=int, default=200, help="rounds on the last key of a pool")
    options.add_argument("--buyers", type=int, default=1500, help="buyers of the one long round")
    options.add_argument("--keys", type=int, default=1000, help="keys of the one long round")
    options.add_argument("--databases", nargs="+", choices=KINDS, default=KINDS)
    chosen = options.parse_args()
    faults: list[str] = []
    print(" | ".join(COLUMNS), flush=True)
    for kind in chosen.databases:
        with installation(kind) as (world, settings):
            last = race(world, settings, rounds=chosen.rounds, buyers=chosen.clients, keys=1, clients=chosen.clients)
            faults += _say(kind, last)
            many = race(world, settings, rounds=1, buyers=chosen.buyers, keys=chosen.keys, clients=chosen.clients)
            faults += _say(kind, many)
    print("\n".join(faults) if faults else "no key twice, none lost, every other buyer waits")
    return min(len(faults), 1)


def _say(kind: str, tally: Tally) -> list[str]:
    """Print a row of the table; returns the faults."""
    numbers = (tally.rounds, tally.buyers, tally.keys, tally.handed_out, tally.duplicates, tally.waiting, tally.again)
    print(" | ".join([kind, *(f"{number:,}" for number in numbers), f"{tally.seconds:.0f}"]), flush=True)
    return [f"{kind}: {fault}" for fault in tally.faults]


@contextmanager
def installation(kind: str) -> Iterator[tuple[World, Settings]]:
    """A new installation with the people of ``tests.world``, on SQLite or on a PostgreSQL server of its own."""
    with tempfile.TemporaryDirectory() as folder, database(kind, Path(folder)) as url:
        settings = complete(Settings(data_dir=Path(folder), database_url=url, public_url="http://localhost"))
        migrate.upgrade(url)
        db.configure(url)
        configured.configure(settings)
        with transaction():
            install_rules()
        yield build_world(), settings
        db.session.remove()
        db.engine().dispose()


@contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    """The address of an empty database that is gone afterwards."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'csp-web.sqlite3'}"
        return
    server = postgres.start()
    try:
        yield server.url()
    finally:
        server.stop()


if __name__ == "__main__":
    raise SystemExit(main())
