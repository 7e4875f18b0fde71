"""Reads the texts out of code and templates, as ``make i18n`` does, within the process of the test."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_keywords, parse_mapping_cfg
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parents[2]
PO = ROOT / "csp_web" / "translations" / "ru" / "LC_MESSAGES" / "messages.po"
FOLDERS = ("csp_web", "templates")
KEYWORDS = {**DEFAULT_KEYWORDS, **parse_keywords(["_l", "lazy_gettext", "N_"])}


@cache
def texts() -> Catalog:
    """Every text that is marked for translation, with the places where it stands."""
    with (ROOT / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)
    found = Catalog()
    for folder in FOLDERS:
        rows: Any = extract_from_dir(
            ROOT / folder, _below(folder, methods), _below_options(folder, options), KEYWORDS, strip_comment_tags=True
        )
        for path, line, message, comments, context in rows:
            found.add(message, None, [(f"{folder}/{path}", line)], auto_comments=comments, context=context)
    return found


def _below(folder: str, methods: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(pattern.removeprefix(f"{folder}/"), method) for pattern, method in methods if pattern.startswith(folder)]


def _below_options(folder: str, options: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    return {pattern.removeprefix(f"{folder}/"): value for pattern, value in options.items()}


def russian() -> Catalog:
    """The Russian catalogue as it is in the tree."""
    with PO.open("rb") as file:
        return read_po(file, locale="ru")
