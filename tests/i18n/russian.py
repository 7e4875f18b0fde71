"""Finds Russian words of ours in what an English page says: Cyrillic letters that are nobody's data."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sqlalchemy import String, select

from csp_web.db import Base, session

CYRILLIC = re.compile(r"[а-яё]", re.IGNORECASE)
# What the product writes itself stands in these columns; everything else with letters in it came from people.
OURS = frozenset(
    {
        "download_links.revoked_reason",
        "download_options.withdrawn_reason",
        "product_keys.quarantine_reason",
        "key_assignments.revoked_reason",
        "jobs.error",
        "outbox_messages.error",
        "outbox_messages.subject",
        "outbox_messages.body",
    }
)
LANGUAGES = ("Русский", "По-русски")  # a language is called by its own name, whoever reads


def russian_in(text: str, data: Iterable[str]) -> str:
    """The text, if it holds Russian words that are not data; else nothing."""
    if not CYRILLIC.search(text):
        return ""
    rest = text
    for each in (*LANGUAGES, *data):
        rest = rest.replace(each, "")
    return text if CYRILLIC.search(rest) else ""


def typed(letters: re.Pattern[str]) -> list[str]:
    """Everything with such letters that people typed into this installation, the longest first."""
    found: set[str] = set()
    for table in Base.metadata.sorted_tables:
        columns = [c for c in table.columns if isinstance(c.type, String) and f"{table.name}.{c.name}" not in OURS]
        for row in session.execute(select(*columns)).all() if columns else ():
            found |= {" ".join(text.split()) for text in row if isinstance(text, str) and letters.search(text)}
    return sorted(found, key=len, reverse=True)
