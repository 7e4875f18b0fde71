"""Price sheets for tests: one price in one line, everything else as in the exports."""

from __future__ import annotations

import csv
import io
from typing import Any

HEADER = (
    "ProductTitle",
    "ProductId",
    "SkuId",
    "SkuTitle",
    "Publisher",
    "SkuDescription",
    "UnitOfMeasure",
    "TermDuration",
    "BillingPlan",
    "Market",
    "Currency",
    "UnitPrice",
    "PricingTierRangeMin",
    "PricingTierRangeMax",
    "EffectiveStartDate",
    "EffectiveEndDate",
    "Tags",
    "ERP Price",
    "Segment",
)
ROW = {
    "ProductTitle": "Windows Server 2022 Standard",
    "ProductId": "DG7GMGF0M6SC",
    "SkuId": "000D",
    "SkuTitle": "Windows Server Standard 16 Core License Pack - 1 year",
    "Publisher": "Microsoft",
    "SkuDescription": "Windows Server 2022 Standard - 16 Core License Pack, subscription",
    "UnitOfMeasure": "1 License",
    "TermDuration": "P1Y",
    "BillingPlan": "OneTime",
    "Market": "US",
    "Currency": "USD",
    "UnitPrice": "176.00",
    "EffectiveStartDate": "2026-01-01T00:00:00Z",
    "EffectiveEndDate": "11/30/9999 11:59:59 PM",
    "Tags": "Software",
    "Segment": "Commercial",
}


def price(amount: str = "176.00", **columns: Any) -> dict[str, str]:
    """A line of a price sheet; name what differs from ``ROW`` (``ERP_Price`` stands for "ERP Price")."""
    return {**ROW, "UnitPrice": amount, **{name.replace("_", " "): str(value) for name, value in columns.items()}}


def sheet(*rows: dict[str, str], encoding: str = "utf-8", delimiter: str = ",", header: Any = HEADER) -> io.BytesIO:
    """A price sheet as a stream of bytes."""
    text = io.StringIO()
    writer = csv.DictWriter(text, header, restval="", delimiter=delimiter, quoting=csv.QUOTE_ALL, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return io.BytesIO(text.getvalue().encode(encoding))
