"""The check of translations (B13) finds what is missing; tests/i18n asks it about the product."""

from __future__ import annotations

import pytest
from babel.messages.catalog import Catalog

from scripts.check_translations import problems


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
