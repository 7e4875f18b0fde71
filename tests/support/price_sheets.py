"""Price sheets as they are exported, made of a few rows, and what is read from them."""

from __future__ import annotations

import csv
import io

from csp_web.domain.sales.price_sheet import PriceRow, read_price_sheet
from csp_web.domain.sheets import RowError

SERVER = {
    "ProductTitle": "Windows Server 2019 Standard",
    "ProductId": "DG7GMGF0AAAA",
    "SkuId": "000C",
    "SkuTitle": "Windows Server Standard 16 Core License Pack - 1 year",
    "Publisher": "Microsoft",
    "SkuDescription": "Windows Server 2019 Standard - 16 Core License Pack, subscription",
    "UnitOfMeasure": "1 License",
    "TermDuration": "P1Y",
    "BillingPlan": "OneTime",
    "Market": "US",
    "Currency": "USD",
    "UnitPrice": "176.00",
    "PricingTierRangeMin": "",
    "PricingTierRangeMax": "",
    "EffectiveStartDate": "8/1/2018 12:00:00 AM",
    "EffectiveEndDate": "11/30/9999 11:59:59 PM",
    "Tags": "Software",
    "ERP Price": "207.68",
    "Segment": "Commercial",
}
RESERVATION = SERVER | {
    "ProductTitle": "Reserved VM Instance, Standard_D2s_v5",
    "ProductId": "DZH318Z0AAAA",
    "SkuTitle": "Standard_D2s_v5 - West Europe - 1 year",
    "SkuDescription": "Reserved VM Instance, Standard_D2s_v5, West Europe",
    "UnitOfMeasure": "1 Instance",
    "BillingPlan": "Monthly",
    "Tags": "Azure;Reservation",
}
SUITE = SERVER | {
    "ProductTitle": 'SQL Server Standard Suite, "Server + 10 CAL"',
    "SkuTitle": "SQL Server Standard Suite, 1 Server and 10 User CAL - 1 year",
    "SkuDescription": 'SQL Server Standard Suite, "Server + 10 CAL", subscription',
}
OPTIONAL = ("PricingTierRangeMin", "PricingTierRangeMax", "Tags", "ERP Price", "Segment")


def sheet(*rows: dict[str, str], delimiter: str = ",", end: str = "\r\n", quoting: int = csv.QUOTE_ALL) -> str:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting)  # type: ignore[arg-type]
    writer.writerow(rows[0])
    writer.writerows(row.values() for row in rows)
    return text.getvalue()


def read(data: str | bytes) -> list[PriceRow | RowError]:
    return list(read_price_sheet(io.BytesIO(data.encode() if isinstance(data, str) else data)))


def only_row(data: str | bytes) -> PriceRow:
    (row,) = read(data)
    assert isinstance(row, PriceRow), row
    return row


def only_error(data: str | bytes) -> RowError:
    (error,) = read(data)
    assert isinstance(error, RowError), error
    return error
