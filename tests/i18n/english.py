"""Finds English sentences of ours, and of WTForms, in what a page says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import cache
from zoneinfo import available_timezones

from wtforms.i18n import get_translations

from csp_web.domain.companies import customer_sheet
from csp_web.domain.sales import price_sheet
from csp_web.domain.stock import key_sheet
from tests.i18n.extraction import ROOT, russian
from tests.i18n.russian import CYRILLIC

PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]")
TWO_WORDS = re.compile(r"[A-Za-z’']+[ ,:;—-]+[A-Za-z’']+")


@cache
def english_in(text: str) -> str:
    """The English sentence of two words or more that a text holds; empty if it holds none."""
    ours = text
    for source in (*_sources(), *_columns()):
        ours = ours.replace(source, "")
    if not TWO_WORDS.search(ours):
        return ""
    found = next((pattern for pattern in _sentences() if pattern.search(ours)), None)
    return text if found else ""


@cache
def _sources() -> tuple[str, ...]:
    """Where the shipped policies come from: titles of documents, which are quoted as they are."""
    return tuple(policy["source"] for policy in json.loads((ROOT / "csp_web/data/policies.json").read_text()))


@cache
def _sentences() -> tuple[re.Pattern[str], ...]:
    catalogue = russian()
    ours = {
        str(form) for entry in catalogue if entry.id for form in _forms(entry.id) if form not in _forms(entry.string)
    }
    brought = {key for key in getattr(get_translations(["ru"]), "_catalog", {}) if isinstance(key, str)}
    return tuple(_pattern(text) for text in sorted(ours | brought) if TWO_WORDS.search(PLACEHOLDER.sub("\x00", text)))


def _forms(text: object) -> tuple[str, ...]:
    return tuple(map(str, text)) if isinstance(text, tuple | list) else (str(text),)


def _pattern(text: str) -> re.Pattern[str]:
    parts = [re.escape(" ".join(part.split()) if part.strip() == part else part) for part in PLACEHOLDER.split(text)]
    return re.compile(r"(?<!\w)" + ".{0,300}?".join(parts).replace("%%", "%") + r"(?!\w)")


LATIN = re.compile(r"(?<![\w.@/-])[A-Za-z]*[a-z]{3,}(?![\w.@/-])")
# Said as it is in every language: names of products, of keys of a keyboard, of commands; addresses; what the walk itself types.
NAMES = frozenset(
    {"Microsoft", "Windows", "Partner", "Center", "Server", "Web", "English", "Enter", "Esc", "Ctrl", "Control"}
)
TYPED = frozenset({"customer", "never", "test", "{address of the link}"})
AS_IT_IS = re.compile(r"(https?://|csp-web |CSP_WEB_)\S+.*")


def unknown_in(text: str, data: Iterable[str]) -> str:
    """The text, if it is in Latin letters throughout and neither data nor a name: a text that nobody translates."""
    if (
        CYRILLIC.search(text)
        or not LATIN.search(text)
        or text.rpartition("/")[2] in _zones() | TYPED
        or AS_IT_IS.fullmatch(text)
    ):
        return ""
    rest = text
    for each in (*_sources(), *_columns(), *data):
        rest = rest.replace(each, "")
    return text if set(LATIN.findall(rest)) - NAMES else ""


@cache
def _columns() -> tuple[str, ...]:
    """The columns of sheets that others make or read by name."""
    sheets = (customer_sheet.COLUMNS, price_sheet.COLUMNS, key_sheet.COLUMNS)
    return tuple(sorted((column.name for sheet in sheets for column in sheet), key=len, reverse=True))


@cache
def _zones() -> frozenset[str]:
    """Time zones, as the IANA calls them: Europe/Moscow, of which a list shows Europe and Moscow."""
    names = available_timezones()
    return frozenset(part for name in names for part in (name, *name.replace("_", " ").split("/")))
