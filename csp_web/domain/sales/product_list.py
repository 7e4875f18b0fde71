"""The operator's views of the catalogue: products with their prices counted, and the imports that made them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, func, or_, select

from csp_web.db import now, session
from csp_web.domain.paging import Page, page_of
from csp_web.models import Offer, PriceSheetImport, Product, Sku, User

LATEST_IMPORTS = 20

_products = Product.__table__.c


def list_products(*, text: str = "", cursor: str | None = None) -> Page:
    """Products by title; of each how many SKUs it has, and how many prices in how many markets are in force."""
    at = now()
    skus = select(func.count()).select_from(Sku).where(Sku.product_id == Product.id).scalar_subquery()
    current = (
        select(func.count(), func.count(Offer.market.distinct()))
        .select_from(Offer)
        .join(Offer.sku)
        .where(
            Sku.product_id == Product.id,
            Offer.valid_from <= at,
            or_(Offer.valid_to.is_(None), Offer.valid_to > at),
        )
    )
    prices = current.with_only_columns(func.count()).correlate(Product).scalar_subquery()
    markets = current.with_only_columns(func.count(Offer.market.distinct())).correlate(Product).scalar_subquery()
    statement = select(
        Product.title, Product.id, Product.product_id, Product.family, Product.own_version, Product.has_keys,
        Product.has_files, skus.label("skus"), prices.label("prices"), markets.label("markets"),
    )  # fmt: skip
    for word in text.split():
        found = Product.title + " " + Product.product_id
        statement = statement.where(found.icontains(word, autoescape=True))
    return page_of(statement, (_products.title, _products.id), cursor=cursor, descending=False)


def latest_imports() -> Sequence[Row[*tuple[Any, ...]]]:
    """The latest imports of price sheets, newest first, with who did them (nobody: the command line)."""
    return session.execute(
        select(
            PriceSheetImport.file_name, PriceSheetImport.sha256, PriceSheetImport.rows, PriceSheetImport.added,
            PriceSheetImport.ended, PriceSheetImport.unchanged, PriceSheetImport.imported_at, User.name,
        )
        .outerjoin(User, User.id == PriceSheetImport.imported_by_id)
        .order_by(PriceSheetImport.id.desc())
        .limit(LATEST_IMPORTS)
    ).all()  # fmt: skip
