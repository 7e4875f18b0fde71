"""Lists of markets to which a product type is not sold (R11, D8)."""

from __future__ import annotations

from datetime import datetime

import click
from sqlalchemy import select

from csp_web.cli.base import as_option, open_installation, person
from csp_web.db import now, session, transaction
from csp_web.domain.sales import markets as verbs
from csp_web.domain.sales.in_force import is_in_force
from csp_web.models import MarketSet

day_option = click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="First day (UTC); by default today.")


@click.group()
def markets() -> None:
    """Lists of markets to which a product type is not sold."""


@markets.command("list")
def list_sets() -> None:
    """List the lists and say which is in force."""
    open_installation()
    for market_set in verbs.market_sets():
        countries = " ".join(sorted(exclusion.country for exclusion in market_set.exclusions))
        state = "in force" if is_in_force(market_set, now()) else "not in force"
        click.echo(f"{market_set.name}\t{market_set.product_type}\t{state}\t{countries}")


@markets.command()
@click.argument("name")
@day_option
@as_option
def use(name: str, day: datetime | None, email: str | None) -> None:
    """Make a list the one that counts; the list that counted until then ends."""
    open_installation()
    with transaction():
        verbs.put_in_force(_set(name), day=(day or now()).date(), by=person(email))
    click.echo(f"{name} is in force from {(day or now()):%Y-%m-%d}.")


@markets.command()
@click.argument("name")
@day_option
@as_option
def end(name: str, day: datetime | None, email: str | None) -> None:
    """End a list; unless another is put in force, the product type is then sold everywhere."""
    open_installation()
    with transaction():
        verbs.end(_set(name), day=(day or now()).date(), by=person(email))
    click.echo(f"{name} ends on {(day or now()):%Y-%m-%d}.")


def _set(name: str) -> MarketSet:
    found = session.scalar(select(MarketSet).filter_by(name=name))
    if found is None:
        raise click.ClickException(f"There is no list {name}. See: csp-web markets list")
    return found
