"""B13: the portal speaks Russian throughout. The catalogue has every text, whole and in Russian."""

from __future__ import annotations

import re

import pytest
from babel.messages.catalog import Catalog

from csp_web import i18n
from csp_web.domain.access.permissions import ROLE_NAMES
from csp_web.web.forms import Texts
from scripts.check_translations import problems
from tests.i18n.extraction import ROOT, russian, texts


def test_b13_every_text_of_code_and_templates_is_in_the_catalogue_and_nothing_else() -> None:
    assert list(problems(texts(), russian())) == []


def test_texts_are_read_from_code_and_from_templates() -> None:
    places = {place.partition("/")[0] for text in texts() for place, _line in text.locations}
    assert places == {"csp_web", "templates"}
    assert texts().get("Add customer") is not None
    assert texts().get("Admin agent") is not None


@pytest.mark.parametrize("text", ["Add customer", "Admin agent", "%(num)s day"])
def test_a_translation_that_goes_missing_is_noticed(text: str) -> None:
    catalogue = russian()
    catalogue.delete(text)
    assert f"{text!r}: is not in the catalogue" in list(problems(texts(), catalogue))


def test_a_fuzzy_translation_is_noticed_because_it_would_not_be_shown() -> None:
    catalogue = russian()
    message = catalogue.get("Add customer")
    assert message is not None
    message.flags.add("fuzzy")
    assert "'Add customer': is marked fuzzy" in list(problems(texts(), catalogue))


def test_pages_and_the_check_read_the_same_catalogue() -> None:
    shown = i18n.catalogue("ru")
    assert len(shown.one) + len(shown.many) == len(_entries(russian()))
    with i18n.use_place("ru"):
        assert i18n.gettext("Add customer") == "Добавить клиента"
        assert [i18n.ngettext("%(num)s day", "%(num)s days", n) for n in (1, 2, 5, 11, 21, 112)] == [
            "1 день",
            "2 дня",
            "5 дней",
            "11 дней",
            "21 день",
            "112 дней",
        ]


def _entries(catalogue: Catalog) -> list[str]:
    return [str(message.id) for message in catalogue if message.id and all(message.string or [""])]


@pytest.mark.parametrize(
    ("label", "said"),
    [
        ("Sign in", "Войти"),
        ("Add products", "Добавить продукты"),
        ("Order history", "История заказов"),
        ("Software", "Программное обеспечение"),
        ("Select product", "Выбрать продукт"),
        ("Submit", "Отправить"),
        ("Type of problem", "Тип проблемы"),
        ("Impact", "Влияние"),
        ("Critical", "Критическое"),
        ("Moderate", "Среднее"),
        ("Minimal", "Минимальное"),
        ("Refund reason", "Причина возврата"),
        ("Cancel", "Отменить"),
        ("Approve cancellation", "Одобрить отмену"),
    ],
)
def test_labels_that_people_and_manuals_rely_on_have_their_russian_twins(label: str, said: str) -> None:
    with i18n.use_place("ru"):
        assert i18n.gettext(label) == said


def test_two_roles_never_have_the_same_name() -> None:
    """A refusal names the role that may (D14): the partner's helpdesk and the operator's support differ."""
    with i18n.use_place("ru"):
        assert len({i18n.gettext(name) for name in ROLE_NAMES.values()}) == len(ROLE_NAMES)


def test_messages_of_wtforms_are_russian_too() -> None:
    said = Texts()
    with i18n.use_place("ru"):
        for message in ("This field is required.", "Not a valid choice.", "Not a valid integer value."):
            assert re.search("[а-я]", said.gettext(message)), message


def test_the_glossary_says_what_the_catalogue_says() -> None:
    """Where a term of the glossary is a text of its own, both translate it alike."""
    rows = re.findall(r"^\| ([^|]+?) \| ([^|]+?) \|", (ROOT / "docs/developers/glossary.md").read_text(), re.MULTILINE)
    said = i18n.catalogue("ru").one
    common = [(english, term) for english, term in rows if english in said]
    assert len(common) > 20
    assert [(english, term, said[english]) for english, term in common if said[english] != term] == []
