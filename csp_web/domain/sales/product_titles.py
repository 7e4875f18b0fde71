"""What a product's titles tell about it: a price sheet has no columns for family, version or region (R1)."""

import re
from enum import StrEnum
from functools import lru_cache

_VERSION = re.compile(r"\b(Windows Server|SQL Server)\s+(20\d\d)(\s+R2)?\b", re.IGNORECASE)
_RESERVATION = re.compile(r"\breserv(?:ed|ations?)\b", re.IGNORECASE)
_CAL = re.compile(r"\bCALs?\b|\bclient access licen[cs]es?\b", re.IGNORECASE)
_SUITE = re.compile(r"\bsuite\b", re.IGNORECASE)
_ARM_SKU = re.compile(r"\b(?:Standard|Basic)_\w+")
_REGION = re.compile(r"\b(?:Standard|Basic)_\w+\s*(?:,|-)\s*([A-Z][A-Za-z0-9 ]*[A-Za-z0-9])")


class Family(StrEnum):
    """The product families that are sold (R1)."""

    WINDOWS_SERVER = "windows_server"
    SQL_SERVER = "sql_server"
    AZURE_RESERVATION = "azure_reservation"


class ProductType(StrEnum):
    """What market exclusions and cancellation policies distinguish (R11, R12, D8)."""

    SOFTWARE_SUBSCRIPTION = "software_subscription"
    RESERVATION = "reservation"


@lru_cache(maxsize=8192)
def family_of(title: str, tags: tuple[str, ...] = ()) -> Family | None:
    """The family of a product by its title and tags; None when it is none of those sold here."""
    if _RESERVATION.search(title) or any(_RESERVATION.search(tag) for tag in tags):
        return Family.AZURE_RESERVATION
    lower = title.casefold()
    if "windows server" in lower:
        return Family.WINDOWS_SERVER
    return Family.SQL_SERVER if "sql server" in lower else None


def product_type_of(family: Family | None) -> ProductType:
    """Whether a family is a reservation or software."""
    return ProductType.RESERVATION if family is Family.AZURE_RESERVATION else ProductType.SOFTWARE_SUBSCRIPTION


@lru_cache(maxsize=8192)
def version_of(*texts: str) -> str | None:
    """The version named in the first text that names one ("Windows Server 2019"); None when none does."""
    for match in filter(None, map(_VERSION.search, texts)):
        name = "Windows Server" if match[1].casefold().startswith("w") else "SQL Server"
        return f"{name} {match[2]}{' R2' if match[3] else ''}"
    return None


@lru_cache(maxsize=8192)
def is_suite(*texts: str) -> bool:
    """Whether the texts speak of a suite: a server with access licences in one product."""
    return any(_SUITE.search(text) for text in texts)


@lru_cache(maxsize=8192)
def is_cal(*texts: str) -> bool:
    """Whether the texts speak of a client access licence: it has keys and no files. A suite's server has files."""
    return any(_CAL.search(text) for text in texts) and not is_suite(*texts)


@lru_cache(maxsize=8192)
def arm_sku_of(*texts: str) -> str | None:
    """The machine size of a reservation ("Standard_D2s_v5"), where a text names it."""
    return next((match[0] for match in map(_ARM_SKU.search, texts) if match), None)


@lru_cache(maxsize=8192)
def region_of(*texts: str) -> str | None:
    """The region of a reservation ("West Europe"), where a text names it after the machine size."""
    return next((match[1] for match in map(_REGION.search, texts) if match), None)
