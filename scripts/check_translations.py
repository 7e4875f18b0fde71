"""Every text has its translation, with the same placeholders and all plural forms. Part of ``make i18n``.

    python scripts/check_translations.py build/messages.pot csp_web/translations

Prints ``catalogue: text: sentence`` for every problem and exits with 1 if there was one.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%%")
CYRILLIC = re.compile("[а-яё]", re.IGNORECASE)
MIXED = re.compile(r"[а-яё][a-z]|[a-z][а-яё]", re.IGNORECASE)
ENDS = ".:?!…"

# What has the same name in Russian.
NAMES = frozenset({"Windows Server", "SQL Server", "SHA-256", "SKU", "SKUs", "GUID"})


def problems(texts: Catalog, catalogue: Catalog) -> Iterator[str]:
    """What is missing, wrong or left over in a catalogue, one sentence each."""
    for text in texts:
        if text.id:
            translated = catalogue.get(text.id, text.context)
            for sentence in _problems_of(text, translated, catalogue):
                yield f"{_name(text)!r}: {sentence}"
    for old in (*catalogue, *catalogue.obsolete.values()):
        if old.id and texts.get(old.id, old.context) is None:
            yield f"{_name(old)!r}: is in no page any more"


def _name(text: Message) -> str:
    return text.id if isinstance(text.id, str) else text.id[0]


def _problems_of(text: Message, translated: Message | None, catalogue: Catalog) -> Iterator[str]:
    if translated is None:
        yield "is not in the catalogue"
        return
    strings = [translated.string] if isinstance(translated.string, str) else list(translated.string or [""])
    if not all(strings):
        yield "is not translated"
        return
    if translated.fuzzy:
        yield "is marked fuzzy"
    if isinstance(text.id, tuple | list) and len(strings) != catalogue.num_plurals:
        yield f"has {len(strings)} plural forms instead of {catalogue.num_plurals}"
    original = text.id if isinstance(text.id, str) else text.id[-1]
    russian = catalogue.locale is not None and catalogue.locale.language == "ru"
    for string in strings:
        yield from _differences(original, string)
        if russian:
            yield from _not_russian(original, string)


def _differences(original: str, string: str) -> Iterator[str]:
    """What a translation has in another way than its text: placeholders, and the mark at the end."""
    if _placeholders(original) != _placeholders(string):
        yield f"has other placeholders in {string!r}"
    if _end(original) != _end(string):
        yield f"ends in another way in {string!r}"


def _not_russian(original: str, string: str) -> Iterator[str]:
    if MIXED.search(string):
        yield f"mixes Latin and Cyrillic letters in a word of {string!r}"
    if not CYRILLIC.search(string) and original not in NAMES:
        yield f"is not Russian: {string!r}"


def _placeholders(text: str) -> set[str]:
    return set(PLACEHOLDER.findall(text))


def _end(text: str) -> str:
    return text[-1] if text[-1] in ENDS else ""


def main(texts: Path, folder: Path) -> int:
    """Check every catalogue in a folder against the extracted texts."""
    with texts.open("rb") as file:
        template = read_po(file)
    paths = sorted(folder.glob("*/LC_MESSAGES/messages.po"))
    found = 0 if paths else 1
    for path in paths:
        with path.open("rb") as file:
            catalogue = read_po(file, locale=path.parts[-3])
        for problem in problems(template, catalogue):
            print(f"{path}: {problem}")
            found += 1
    print(f"{len(list(template)) - 1} texts, {len(paths)} catalogues, {found} problems")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
