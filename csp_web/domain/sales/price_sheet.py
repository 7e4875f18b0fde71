"""Price sheets as exported by the vendor, read row by row.

Real sheets differ: delimiter, encoding, column order, optional columns, two date formats, JPY without and KWD
with three decimals. 100,000 rows take about two seconds and no memory worth speaking of.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import BinaryIO

from csp_web.domain import cells
from csp_web.domain.sales import product_titles
from csp_web.domain.sales.product_titles import Family, ProductType
from csp_web.domain.sheets import CellError, Column, Once, RowError, read_rows
from csp_web.i18n import gettext as _
from csp_web.money import to_minor

COLUMNS = (
    Column("ProductTitle", cells.text),
    Column("ProductId", cells.product_id),
    Column("SkuId", cells.sku_id),
    Column("SkuTitle", cells.text),
    Column("Publisher", cells.optional_text),
    Column("SkuDescription", cells.optional_text),
    Column("UnitOfMeasure", cells.optional_text),
    Column("TermDuration", cells.one_of("P1M", "P1Y", "P3Y")),
    Column("BillingPlan", cells.one_of("OneTime", "Monthly", "Annual", "Triennial")),
    Column("Market", cells.country),
    Column("Currency", cells.currency),
    Column("UnitPrice", cells.text, number=True),
    Column("PricingTierRangeMin", cells.optional(cells.whole_number), required=False),
    Column("PricingTierRangeMax", cells.optional(cells.whole_number), required=False),
    Column("EffectiveStartDate", cells.moment),
    Column("EffectiveEndDate", cells.open_ended),
    Column("Tags", cells.tags, required=False),
    Column("ERP Price", cells.optional(cells.text), required=False, number=True),
    Column(
        "Segment",
        cells.one_of("Commercial", "Education", "Government", "NonProfit", "Charity", default="Commercial"),
        required=False,
    ),
)
_AT = {column.name: place for place, column in enumerate(COLUMNS)}
_CURRENCY, _UNIT_PRICE, _ERP_PRICE = _AT["Currency"], _AT["UnitPrice"], _AT["ERP Price"]


@dataclass(frozen=True, slots=True)
class PriceRow:
    """One price: what a SKU costs for a term in a market, between two moments (UTC, the end excluded).

    Prices are minor units of `currency` (D6). `valid_to` is None for an open end.
    """

    line: int
    product_title: str
    product_id: str
    sku_id: str
    sku_title: str
    publisher: str
    description: str
    unit: str
    term: str
    billing_plan: str
    market: str
    currency: str
    unit_price: int
    tier_min: int | None
    tier_max: int | None
    valid_from: datetime
    valid_to: datetime | None
    tags: tuple[str, ...]
    erp_price: int | None
    segment: str

    @property
    def family(self) -> Family | None:
        """The product family (R1); never None for a row that was read from a sheet."""
        return product_titles.family_of(self.product_title, self.tags)

    @property
    def product_type(self) -> ProductType:
        """Software or reservation (R11, R12)."""
        return product_titles.product_type_of(self.family)

    @property
    def own_version(self) -> str | None:
        """The version that is bought ("SQL Server 2022"); None for reservations and for suites that name none."""
        if self.family is Family.AZURE_RESERVATION:
            return None
        return product_titles.version_of(self.product_title, self.description, self.sku_title)

    @property
    def is_cal(self) -> bool:
        """Whether this is a client access licence: keys and no files."""
        return self.family is not Family.AZURE_RESERVATION and product_titles.is_cal(*self._titles)

    @property
    def is_suite(self) -> bool:
        """Whether this is a suite of a server and access licences."""
        return product_titles.is_suite(*self._titles)

    @property
    def arm_sku_name(self) -> str | None:
        """A reservation's machine size ("Standard_D2s_v5"), where it is given."""
        return product_titles.arm_sku_of(*self._titles)

    @property
    def region(self) -> str | None:
        """A reservation's region ("West Europe"), where it is given."""
        return product_titles.region_of(*self._titles)

    @property
    def key(self) -> tuple[object, ...]:
        """What makes a price the same price: a sheet has each key once."""
        return (self.product_id, self.sku_id, self.market, self.currency, self.term, self.billing_plan,
                self.segment, self.tier_min, self.valid_from)  # fmt: skip

    @property
    def _titles(self) -> tuple[str, str, str]:
        return self.product_title, self.description, self.sku_title


def read_price_sheet(stream: BinaryIO) -> Iterator[PriceRow | RowError]:
    """Read a price sheet from a binary stream; wrong rows come as RowError between the good ones."""
    once = Once()

    def build(line: int, *values: object) -> PriceRow:
        row = _row(line, list(values))
        _check(row)
        once.check(line, row.key)
        return row

    return read_rows(stream, COLUMNS, build)


def _row(line: int, values: list[object]) -> PriceRow:
    """Read the prices now that the row's currency is known."""
    currency = str(values[_CURRENCY])
    values[_UNIT_PRICE] = _price("UnitPrice", str(values[_UNIT_PRICE]), currency)
    if values[_ERP_PRICE] is not None:
        values[_ERP_PRICE] = _price("ERP Price", str(values[_ERP_PRICE]), currency)
    return PriceRow(line, *values)  # type: ignore[arg-type]  # the columns' readers give the types


@lru_cache(maxsize=16384)
def _price(column: str, text: str, currency: str) -> int:
    try:
        return to_minor(text, currency)
    except ValueError as refusal:
        raise CellError(column, str(refusal)) from None


def _check(row: PriceRow) -> None:
    if row.family is None:
        raise CellError(
            "ProductTitle",
            _(
                "“%(title)s” does not belong to a product family that is sold here.",
                title=cells.quoted(row.product_title),
            ),
        )
    if row.valid_to is not None and row.valid_to <= row.valid_from:
        raise CellError("EffectiveEndDate", _("The end is not after the start."))
    if row.tier_max is not None and row.tier_max < (row.tier_min or 1):
        raise CellError("PricingTierRangeMax", _("The largest quantity is below the smallest."))
