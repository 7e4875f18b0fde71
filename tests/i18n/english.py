"""Finds English sentences of ours, and of WTForms, in what a page says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache

from bs4 import BeautifulSoup, Tag
from wtforms.i18n import get_translations

from tests.i18n.extraction import ROOT, russian

PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]")
TWO_WORDS = re.compile(r"[A-Za-z’']+[ ,:;—-]+[A-Za-z’']+")
SPOKEN = ("title", "alt", "placeholder", "aria-label", "aria-description", "data-label", "value", "content")


def said(page: str) -> Iterator[str]:
    """What a page shows or has read out: its texts and spoken attributes, without parts in a language of their own."""
    soup = BeautifulSoup(page, "html.parser")
    for part in soup.find_all(["script", "style", "template"]):
        part.decompose()
    for part in soup.find_all(lang="en"):
        part.decompose()
    for text in soup.stripped_strings:
        yield " ".join(text.split())
    for tag in soup.find_all(True):
        yield from _attributes(tag)


def _attributes(tag: Tag) -> Iterator[str]:
    for name in SPOKEN:
        value = tag.get(name)
        hidden = tag.name == "input" and tag.get("type") == "hidden"
        if isinstance(value, str) and not hidden and tag.name != "meta":
            yield " ".join(value.split())


@cache
def english_in(text: str) -> str:
    """The English sentence of two words or more that a text holds; empty if it holds none."""
    ours = text
    for source in _sources():
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
