"""Every text of the product is translated (B13), and the check that says so finds what is missing."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog

from scripts.check_translations import problems

ROOT = Path(__file__).resolve().parents[2]


def _catalogues(translation: str | tuple[str, ...], text: str | tuple[str, str]) -> tuple[Catalog, Catalog]:
    texts, catalogue = Catalog(), Catalog(locale="ru")
    texts.add(text)
    catalogue.add(text, translation)
    return texts, catalogue


@pytest.mark.parametrize(
    ("text", "translation", "complaint"),
    [
        ("Save", "", "is not translated"),
        ("Hello %(name)s", "Привет, %(nom)s", "has other placeholders"),
        ("Saved.", "Сохранено", "ends in another way"),
        ("Save", "Save", "is not Russian"),
        ("Cancel", "Oтменить", "mixes Latin and Cyrillic letters"),  # a Latin O
        (("%(num)s key", "%(num)s keys"), ("%(num)s ключ", "%(num)s ключа", ""), "is not translated"),
        (("%(num)s key", "%(num)s keys"), ("%(num)s ключ", "%(num)s ключа"), "has 2 plural forms instead of 3"),
    ],
)
def test_a_missing_or_wrong_translation_is_found(
    text: str | tuple[str, str], translation: str | tuple[str, ...], complaint: str
) -> None:
    found = list(problems(*_catalogues(translation, text)))
    assert len(found) == 1
    assert complaint in found[0]


def test_a_text_that_is_not_in_the_catalogue_is_found() -> None:
    texts = Catalog()
    texts.add("New text")
    assert list(problems(texts, Catalog(locale="ru"))) == ["'New text': is not in the catalogue"]


def test_a_translation_of_a_text_that_is_gone_is_found() -> None:
    catalogue = Catalog(locale="ru")
    catalogue.add("Old text", "Старый текст")
    assert list(problems(Catalog(), catalogue)) == ["'Old text': is in no page any more"]


def test_names_stay_as_they_are() -> None:
    assert list(problems(*_catalogues("SQL Server", "SQL Server"))) == []


def test_a_full_translation_is_left_alone() -> None:
    forms = ("%(num)s ключ", "%(num)s ключа", "%(num)s ключей")
    assert list(problems(*_catalogues(forms, ("%(num)s key", "%(num)s keys")))) == []


def test_b13_every_text_is_translated() -> None:
    done = subprocess.run(["scripts/i18n", "check"], cwd=ROOT, check=False, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stdout + done.stderr
