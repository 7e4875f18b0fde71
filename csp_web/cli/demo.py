"""Fill an empty installation with the demo world."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import Any

import click

from csp_web.cli.base import open_installation
from csp_web.cli.progress import Step, progress
from csp_web.db import refresh_statistics
from csp_web.demo import DemoWorld, make_or_find
from csp_web.domain.upkeep import first_setup

DEFAULT_SEED = 2018


@click.command()
@click.option(
    "--customers", default=0, type=click.IntRange(0, 1_000_000), metavar="N", help="Add so many more customers."
)
@click.option("--seed", default=DEFAULT_SEED, show_default=True, help="The same seed makes the same ids and passwords.")
@click.option("--json", "as_json", is_flag=True, help="Print the sign-ins as one JSON document.")
def demo(customers: int, seed: int, as_json: bool) -> None:
    """Fill an empty installation with the demo world, and print who signs in with which password.

    Where it is there already nothing changes and the same is printed.
    """
    open_installation()
    bars = _Bars()
    world, made = make_or_find(seed=seed, customers=customers, progress=bars)
    bars.end()
    first_setup.close()
    if made:
        refresh_statistics()
    if not made and (world.seed, world.customers) != (seed, customers) and (seed, customers) != (DEFAULT_SEED, 0):
        said = f"--seed {world.seed} --customers {world.customers}"
        click.echo(f"The demo world is there already, made with {said}; nothing was changed.", err=True)
    click.echo(json.dumps(_document(world), ensure_ascii=False) if as_json else _table(world))


def _document(world: DemoWorld) -> dict[str, Any]:
    users = [
        {"email": person.email, "password": password, "roles": [person.role.value], "partner": person.partner}
        for person, password in world.users()
    ]
    return {"users": users, "seed": world.seed, "customers": world.customers}


def _table(world: DemoWorld) -> str:
    rows = [("E-mail", "Password", "Role", "Organisation")]
    rows += [(person.email, password, person.role.value, person.partner) for person, password in world.users()]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = ["  ".join([*(row[column].ljust(widths[column]) for column in range(3)), row[3]]) for row in rows]
    return "\n".join(["Sign in to the demo world as one of these:", "", *lines, ""])


class _Bars:
    """A bar for each part of the work, one after the other."""

    def __init__(self) -> None:
        self._label = ""
        self._bars = ExitStack()
        self._step: Step | None = None

    def __call__(self, label: str, done: int, total: int) -> None:
        if label != self._label or self._step is None:
            self.end()
            self._label = label
            self._step = self._bars.enter_context(progress(label.ljust(10), total))
        self._step(done, total)

    def end(self) -> None:
        """Finish the bar in hand."""
        self._bars.close()
        self._label = ""
