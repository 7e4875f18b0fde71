"""Where a product type is not sold (R11-R13): dated lists of countries, of which the operator puts one in force."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from csp_web.db import for_update, session
from csp_web.domain import audit
from csp_web.domain.access.actors import Actor, require
from csp_web.domain.sales import in_force
from csp_web.domain.sales.market_sheet import MarketRow, read_market_sheet
from csp_web.errors import NotFound
from csp_web.models import MarketExclusion, MarketSet, ProductType

SHIPPED = Path(__file__).parents[2] / "data" / "markets.csv"
DEFAULT = "seed-2018"
DEFAULT_FROM = datetime(2018, 8, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Exclusion:
    """By which list a product type is not sold in a country, and since when (B6)."""

    product_type: ProductType
    country: str
    set_name: str
    since: datetime


def exclusions(country: str, at: datetime) -> dict[ProductType, Exclusion]:
    """Everything that is not sold in a country at an instant; the customer's country decides (R13).

    A country is itself alone: a list that names CN says nothing about HK or MO.
    """
    found = session.execute(
        select(MarketSet.product_type, MarketSet.name, MarketSet.in_force_from)
        .join(MarketSet.exclusions)
        .where(MarketExclusion.country == country, in_force.in_force(MarketSet, at))
    )
    return {kind: Exclusion(kind, country, name, since) for kind, name, since in found if since is not None}


def exclusion(product_type: ProductType, country: str, at: datetime) -> Exclusion | None:
    """Why a product type is not sold in a country at an instant; None when it is (R11, R12)."""
    return exclusions(country, at).get(product_type)


def market_sets() -> Sequence[MarketSet]:
    """All lists with their countries, by product type and age."""
    countries = selectinload(MarketSet.exclusions)
    order = (MarketSet.product_type, MarketSet.published_from)
    return session.scalars(select(MarketSet).options(countries).order_by(*order)).all()


def find_market_set(number: int) -> MarketSet:
    """A list by its number.

    Raises:
        NotFound: there is none.
    """
    found = session.get(MarketSet, number)
    if found is None:
        raise NotFound
    return found


def put_in_force(market_set: MarketSet, *, day: date, by: Actor) -> None:
    """Make a list the one that counts from a day on; the list that counted until then ends.

    Raises:
        Invalid: the day is over.
        Refused: it is in force already.
    """
    require(by, "operator.manage")
    row, at = for_update(MarketSet, market_set.id), in_force.first_instant(day)
    in_force.begin(row, _of_type(row.product_type), at)
    audit.record("put_market_list_in_force", by=by, resource=("market_list", row.name), since=at, until=row.in_force_to)
    session.flush()


def end(market_set: MarketSet, *, day: date, by: Actor) -> None:
    """End a list on a day; unless another is put in force, the product type is then sold everywhere.

    Raises:
        Invalid: the day is over.
        Refused: it is not in force then.
    """
    require(by, "operator.manage")
    row, at = for_update(MarketSet, market_set.id), in_force.first_instant(day)
    in_force.finish(row, at)
    audit.record("end_market_list", by=by, resource=("market_list", row.name), until=at)
    session.flush()


def _of_type(product_type: ProductType) -> Sequence[MarketSet]:
    return session.scalars(select(MarketSet).filter_by(product_type=product_type).with_for_update()).all()


def install_market_sets() -> None:
    """Add the shipped lists that are missing; the first of them counts, the later ones wait for the operator (D8)."""
    known = set(session.scalars(select(MarketSet.name)))
    made: dict[str, MarketSet] = {}
    for row in _shipped():
        if row.set_name in known:
            continue
        if row.set_name not in made:
            made[row.set_name] = _new_set(row)
            session.add(made[row.set_name])
        made[row.set_name].exclusions.append(MarketExclusion(country=row.country, note=row.note))
    session.flush()


def _shipped() -> list[MarketRow]:
    rows: list[MarketRow] = []
    with SHIPPED.open("rb") as file:
        for row in read_market_sheet(file):
            if not isinstance(row, MarketRow):
                raise ValueError(f"{SHIPPED.name}: {row}")
            rows.append(row)
    return rows


def _new_set(row: MarketRow) -> MarketSet:
    return MarketSet(
        name=row.set_name,
        product_type=ProductType(row.product_type),
        published_from=_midnight(row.valid_from),
        published_to=_midnight(row.valid_to) if row.valid_to else None,
        in_force_from=DEFAULT_FROM if row.set_name == DEFAULT else None,
    )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
