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


def problems(texts: Catalog, catalogue: Catalog) -> Iterator[str]:
    """What is missing or wrong in a catalogue, one sentence each."""
    for text in texts:
        if not text.id:
            continue
        translated = catalogue.get(text.id, text.context)
        name = text.id if isinstance(text.id, str) else text.id[0]
        for sentence in _problems_of(text, translated, catalogue.num_plurals):
            yield f"{name!r}: {sentence}"


def _problems_of(text: Message, translated: Message | None, forms: int) -> Iterator[str]:
    if translated is None:
        yield "is not in the catalogue"
        return
    strings = [translated.string] if isinstance(translated.string, str) else list(translated.string or [""])
    if not all(strings):
        yield "is not translated"
        return
    if translated.fuzzy:
        yield "is marked fuzzy"
    if isinstance(text.id, tuple | list) and len(strings) != forms:
        yield f"has {len(strings)} plural forms instead of {forms}"
    wanted = _placeholders(text.id if isinstance(text.id, str) else text.id[-1])
    yield from (f"has other placeholders in {string!r}" for string in strings if _placeholders(string) != wanted)


def _placeholders(text: str) -> set[str]:
    return set(PLACEHOLDER.findall(text))


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
