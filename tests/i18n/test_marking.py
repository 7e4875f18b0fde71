"""B13: what people read is marked for translation where it is written. A text that is not could never be Russian."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from jinja2 import Environment, nodes

from tests.i18n.extraction import ROOT

TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
MODULES = sorted(
    path
    for folder in ("blueprints", "domain", "forms", "services", "web")
    for path in (ROOT / "csp_web" / folder).rglob("*.py")
)

# What is the same in every language: codes, and the names of the languages themselves.
UNTRANSLATED = frozenset({"UTC", "GUID", "SHA-256", "SHA256SUMS", "English"})

JINJA = re.compile(r"{#.*?#}|{%.*?%}|{{.*?}}", re.DOTALL)
TAG = re.compile(r"<(?:[^<>\"']|\"[^\"]*\"|'[^']*')*>")
SPOKEN = re.compile(r"\b(?:title|alt|placeholder|aria-label|aria-description|data-label)=\"([^\"]*)\"")
WORD = re.compile(r"[^\W\d_]{2,}")
STYLE = re.compile(r"{% block \w+_class %}.*?{% endblock %}")
CODE = re.compile(r"<(code|kbd)\b.*?</\1>", re.DOTALL)
ENTITY = re.compile(r"&#?\w+;")

GETTEXT = frozenset({"_", "gettext", "ngettext"})
SENTENCE = re.compile(r"[A-Z][^\W\d_]+\b(?!/)")

# Who says their first text (or the named one) to a person.
SAID_FIRST = frozenset({"flash", "Refused", "Conflict", "Forbidden", "Busy", "NotFound", "ValidationError"})
SAID_FIRST_IN_FORMS = re.compile(r"(?:Field|Required|InputRequired|Email)$")
SAID_BY_NAME = frozenset({"message", "description", "advice", "label"})


def bare_texts(template: str) -> list[str]:
    """Words of a template that stand outside of ``{{ _('…') }}``, in its text and its spoken attributes."""
    rest = CODE.sub("", JINJA.sub("\x00", STYLE.sub("", template)))
    spoken = [match.group(1) for match in SPOKEN.finditer(rest)]
    found = [*TAG.sub("\x00", rest).split("\x00"), *(part for text in spoken for part in text.split("\x00"))]
    texts = (" ".join(ENTITY.sub(" ", text).split()) for text in found)
    return [text for text in texts if WORD.search(text) and text not in UNTRANSLATED]


def unmarked_values(template: str) -> Iterator[str]:
    """Literals within ``{{ }}`` that begin like a text and are not handed to gettext."""
    waiting: list[nodes.Node] = [Environment(autoescape=True).parse(template)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, nodes.Const) and isinstance(node.value, str) and SENTENCE.match(node.value):
            yield node.value
        marked = isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name in GETTEXT
        key = {"key"} if isinstance(node, nodes.Pair) else set()  # keys are looked up, not shown
        waiting.extend([] if marked else node.iter_child_nodes(exclude=key))


def unmarked_texts(source: str, *, forms: bool = False) -> Iterator[str]:
    """Literals of a module that are handed to people without gettext."""
    for call in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)):
        name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
        first = name in SAID_FIRST or (forms and bool(SAID_FIRST_IN_FORMS.search(name)))
        said = [*(call.args[:1] if first else []), *(_named(call) if first else [])]
        yield from (text for value in said if (text := _literal(value)) and WORD.search(text))


def _named(call: ast.Call) -> list[ast.expr]:
    return [keyword.value for keyword in call.keywords if keyword.arg in SAID_BY_NAME]


def _literal(value: ast.expr) -> str:
    if isinstance(value, ast.JoinedStr):
        return "".join(str(part.value) for part in value.values if isinstance(part, ast.Constant))
    return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else ""


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.relative_to(ROOT / "templates").as_posix())
def test_b13_a_template_writes_no_text_that_is_not_translated(path: Path) -> None:
    template = path.read_text()
    assert bare_texts(template) == []
    if path.parent.name != "styleguide":  # its tables show made-up companies and products
        assert [text for text in unmarked_values(template) if text not in UNTRANSLATED] == []


def test_b13_code_says_nothing_that_is_not_translated() -> None:
    found = {
        path.relative_to(ROOT).as_posix(): list(unmarked_texts(path.read_text(), forms=path.parent.name == "forms"))
        for path in MODULES
    }
    assert {path: texts for path, texts in found.items() if texts} == {}


@pytest.mark.parametrize(
    ("template", "found"),
    [
        ("<p>Add customer</p>", ["Add customer"]),
        ("<p>{{ _('Add customer') }}</p>", []),
        ('<a title="Close it" href="/x">{% if y %}×{% endif %}</a>', ["Close it"]),
        ('<a aria-label="{{ _(\'Close it\') }}" class="btn wide">×</a>', []),
        ("<b>{# a remark #}&nbsp;·&nbsp;12 %</b>", []),
    ],
)
def test_bare_texts_of_templates_are_found(template: str, found: list[str]) -> None:
    assert bare_texts(template) == found


@pytest.mark.parametrize(
    ("template", "found"),
    [
        ("{{ badge('ok', 'Active') }}", ["Active"]),
        ("{{ badge('ok', _('Active')) }}", []),
        ("{% set state = 'Ends soon' if late else '' %}", ["Ends soon"]),
        ("{% set states = {'Ended': 'Ended', 'Open': _('Open')} %}", ["Ended"]),
        ("{{ ngettext('%(num)s file', 'Files', n) }}", []),
    ],
)
def test_unmarked_values_of_templates_are_found(template: str, found: list[str]) -> None:
    assert list(unmarked_values(template)) == found


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("flash('Saved.', 'success')", ["Saved."]),
        ("flash(_('Saved.'), 'success')", []),
        ("raise Refused(f'Only {n} are left.')", ["Only  are left."]),
        ("raise Conflict(_('Gone.'), advice='Look again.')", ["Look again."]),
        ("StringField('Name', description='Yours')", ["Name", "Yours"]),
        ("StringField(_l('Name'), [Length(max=5)])", []),
    ],
)
def test_unmarked_texts_of_code_are_found(source: str, found: list[str]) -> None:
    assert list(unmarked_texts(source, forms=True)) == found
