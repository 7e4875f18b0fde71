"""Our own way of writing templates out gives the same text as Jinja's own, in every construct that it touches."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from jinja2 import DictLoader, Environment, pass_context
from jinja2.compiler import CodeGenerator
from jinja2.environment import create_cache
from markupsafe import Markup

from csp_web.i18n import lazy_gettext, use_place
from csp_web.web.templates import Environment as OurEnvironment
from tests.world import World

HOSTILE = """<script>alert("x")</script> & 'y' {{ 7 * 7 }}"""


class Html:
    """Says itself what it is as HTML."""

    def __html__(self) -> str:
        return "<b>mine</b>"

    def __str__(self) -> str:
        return "never seen"


class Counter:
    """Says something else each time."""

    def __init__(self) -> None:
        self.said = 0

    def __str__(self) -> str:
        self.said += 1
        return f"<{self.said}>"


class Row:
    """What lists hand over: attributes."""

    def __init__(self, name: Any, children: tuple[Row, ...] = ()) -> None:
        self.name = name
        self.children = children


VALUES: dict[str, Any] = {
    "hostile": HOSTILE,
    "safe": Markup("<i>safe</i>"),
    "lazy": lazy_gettext("<Customers> & more"),
    "html": Html(),
    "nothing": None,
    "yes": True,
    "number": 7,
    "real": 1.5,
    "bytes": b"<b>",
    "several": [HOSTILE, 1, None],
    "rows": [Row("<a>", (Row("<a1>"), Row(2, (Row("deep"),)))), Row(Markup("<b/>"))],
    "empty": [],
    "pairs": [("<k>", 1), ("l", None)],
}
PARTS = {
    "part.html": "[{{ hostile }}|{{ row.name if row is defined else '-' }}|{{ shout('<') }}]",
    "cells.html": (
        "{% macro cell(text, kind='<', wrap=none) %}<td class='{{ kind }}'>{{ caller() if caller else text }}"
        "{{ wrap(text) if wrap else '' }}</td>{% endmacro %}{% macro rows_of(items) %}{% for item in items %}"
        "{{ cell(item) }}{% endfor %}{% endmacro %}"
    ),
    "base.html": "<{% block head %}{{ shout(hostile) }}{% endblock %}>{% block body scoped %}old{% endblock %}</>",
}
CASES = {
    "every kind of value": "|".join("{{ " + name + " }}" for name in VALUES if name != "rows") + "{{ missing_one }}",
    "attributes": "<a title=\"{{ hostile }}\" href='{{ safe }}'>{{ rows[0].name }}{{ rows[0].children[1].name }}</a>",
    "expressions": "{{ hostile ~ safe }}{{ number + 1 }}{{ hostile if yes else safe }}{{ '<' }}{{ 1 < 2 }}{{ '<'|safe }}",
    "filters": "{{ hostile|upper }}{{ safe|striptags }}{{ several|join('<') }}{{ hostile|e }}{{ nothing|default('<', true) }}",
    "a loop": "{% for row in rows %}<{{ row.name }}>{% else %}none{% endfor %}",
    "a loop over nothing": "{% for row in empty %}{{ row }}{% else %}<{{ hostile }}>{% endfor %}",
    "loops in loops": "{% for r in rows %}{{ loop.index }}/{{ loop.length }}{% for c in r.children %}({{ loop.first }}{{ c.name }}"
    "{{ r.name }}){% endfor %}{{ loop.last }};{% endfor %}",
    "a recursive loop": "{% for r in rows recursive %}<{{ r.name }}{{ loop(r.children) }}>{% endfor %}",
    "a filtered loop": "{% for r in rows if r.children %}{{ r.name }}{% endfor %}",
    "pairs": "{% for key, value in pairs %}{{ key }}={{ value }};{% endfor %}",
    "what loops leave": "{% set seen = 0 %}{% for r in rows %}{% set seen = r.name %}{{ seen }}{% endfor %}{{ seen }}{{ r }}",
    "words that every row says": "{% set word, mark = hostile, safe %}{% for r in rows %}{{ word }}{{ mark }}{{ number }}"
    "{{ nothing }}{{ missing_one }}{% for c in r.children %}{{ word }}{{ r.name }}{% endfor %}{% endfor %}",
    "a word that a row changes": "{% set word = hostile %}{% for r in rows %}{{ word }}{% set word = r.name %}{{ word }}"
    "{% endfor %}{{ word }}",
    "a word under the name of a row": "{% set r, word = '<r>', '<w>' %}{% for r in rows %}{{ r.name }}"
    "{% for word in several %}{{ word }}"
    "{% endfor %}{{ word }}{% endfor %}{{ r }}",
    "a word in a branch": "-{% if nothing %}{% set word = '<' %}{% endif %}{% for r in rows %}{{ word }}{% endfor %}",
    "a word that changes by itself": "{% set word = counter() %}{% for r in rows %}{{ word }}{% endfor %}",
    "words in macros in loops": "{% set word = hostile %}{% for r in rows %}{{ word }}{% macro m(word) %}{{ word }}"
    "{% endmacro %}{{ m('<m>') }}"
    "{% endfor %}",
    "words in calls in loops": "{% from 'cells.html' import cell %}{% set word = hostile %}{% for r in rows %}{{ word }}"
    "{% call cell('') %}{{ word }}{{ r.name }}{% endcall %}{% endfor %}",
    "words in blocks in loops": "{% set word = hostile %}{% for r in rows %}{{ word }}{% block in_row scoped %}{{ word }}"
    "{{ r.name }}{% endblock %}{% endfor %}",
    "words in recursive loops": "{% set word = hostile %}{% for r in rows recursive %}{{ word }}{{ loop(r.children) }}"
    "{% endfor %}",
    "words in macros": "{% macro m(word, rows) %}{% for r in rows %}{{ word }}{{ r.name }}{% endfor %}"
    "{% endmacro %}{{ m(hostile, rows) }}",
    "namespaces": "{% set ns = namespace(n=0) %}{% for r in rows %}{% set ns.n = ns.n + 1 %}{% endfor %}{{ ns.n }}",
    "macros": "{% from 'cells.html' import cell, rows_of %}{{ cell(hostile) }}{{ cell(safe, kind=hostile) }}{{ rows_of(several) }}"
    "{% for r in rows %}{{ cell(r.name) }}{% endfor %}",
    "a whole module": "{% import 'cells.html' as m %}{% for r in rows %}{{ m.cell(r.name) }}{% endfor %}",
    "a macro of its own": "{% macro own(x) %}{{ x }}{{ shout(x) }}{% for y in [x] %}{{ y }}{% endfor %}{% endmacro %}"
    "{{ own(hostile) }}{{ own(safe) }}",
    "a function handed to a macro": "{% from 'cells.html' import cell %}{{ cell(hostile, wrap=shout) }}",
    "call blocks": "{% from 'cells.html' import cell %}{% call cell('') %}<u>{{ hostile }}</u>{% for r in rows %}{{ r.name }}"
    "{% endfor %}{% endcall %}",
    "set blocks": "{% set kept %}<u>{{ hostile }}{% for r in rows %}{{ r.name }}{% endfor %}</u>"
    "{% endset %}{{ kept }}{{ kept }}",
    "filter blocks": "{% filter upper %}<u>{{ hostile }}{% for r in rows %}{{ r.name }}{% endfor %}</u>{% endfilter %}",
    "with": "{% with x = hostile %}{{ x }}{% for r in rows %}{{ x }}{% endfor %}{% endwith %}",
    "includes": "{% include 'part.html' %}{% for row in rows %}{% include 'part.html' %}{% endfor %}",
    "blocks": "{% extends 'base.html' %}{% block head %}{{ super() }}{% for r in rows %}{{ r.name }}{% endfor %}{% endblock %}"
    "{% block body %}{{ self.head() }}{{ hostile }}{% endblock %}",
    "blocks in loops": "{% for r in rows %}{% block each scoped %}<{{ r.name }}{{ loop.index }}>{% endblock %}{% endfor %}",
    "outside of blocks": "{% extends 'base.html' %}{% for r in rows %}{{ r.name }}{% endfor %}{% block body %}x{% endblock %}",
    "functions": "{{ shout(hostile) }}{{ shout(text=safe) }}{{ shout(*['a']) }}{{ shout(**{'text': '<'}) }}{{ joined('<', 'b') }}",
    "functions in loops": "{% for r in rows %}{{ shout(r.name) }}{{ aware() }}{{ method('<') }}{% endfor %}",
    "a function under another name": "{% set shout = joined %}{{ shout('<', 'c') }}",
    "a macro of the same name": "{% macro shout(x) %}[{{ x }}]{% endmacro %}{{ shout(hostile) }}",
    "a parameter of the same name": "{% macro m(shout) %}{{ shout(1, 2) }}{% endmacro %}{{ m(joined) }}",
    "escaping off and on": "{% autoescape false %}{{ hostile }}{% for r in rows %}{{ r.name }}{% endfor %}{% endautoescape %}"
    "{% autoescape true %}{{ hostile }}{% for r in rows %}{{ r.name }}{% endfor %}{% endautoescape %}",
    "escaping by a variable": "{% autoescape yes %}{{ safe }}{% for r in rows %}{{ r.name }}{% endfor %}{% endautoescape %}",
}


class Speaker:
    """Has a method that templates call."""

    def say(self, text: str) -> str:
        return f"<{text}>"


@pass_context
def aware(context: Any) -> str:
    """Wants to know the template that calls it."""
    return f"<{context.name}>"


def environment(kind: type[Environment]) -> Environment:
    """Templates of one kind, with the same functions."""
    made = kind(autoescape=True, loader=DictLoader(PARTS | {f"{name}.html": text for name, text in CASES.items()}))
    made.globals.update(
        shout=lambda text: str(text).upper(),
        joined=lambda *parts: Markup("+").join(parts),
        aware=aware,
        method=Speaker().say,
        counter=Counter,
    )
    return made


class Ours(Environment):
    """Our templates without Flask's part, which is about blueprints."""

    code_generator_class = OurEnvironment.code_generator_class
    escaped = staticmethod(OurEnvironment.escaped)
    plain = staticmethod(OurEnvironment.plain)
    ready = staticmethod(OurEnvironment.ready)
    make_globals = OurEnvironment.make_globals


def unescaped(value: Any) -> str:
    """Trusts everybody."""
    return str(value)


class Unescaping(Ours):
    """What must never happen."""

    escaped = staticmethod(unescaped)
    plain = staticmethod(unescaped)
    ready = staticmethod(unescaped)


class Keeping(Ours):
    """Asks once what may say something else each time."""

    ready = staticmethod(OurEnvironment.escaped)


def both(name: str, kind: type[Environment] = Ours) -> tuple[str, str]:
    """What Jinja makes of a case, and what another kind of environment does."""
    wanted, found = (environment(each).get_template(f"{name}.html").render(VALUES) for each in (Environment, kind))
    return wanted, found


@pytest.mark.parametrize("name", CASES)
def test_the_text_is_the_same(name: str) -> None:
    wanted, found = both(name)
    assert found == wanted
    assert wanted != ""


def test_a_template_that_is_rendered_twice_says_the_same_twice() -> None:
    template = environment(Ours).get_template("cells.html")
    assert template.render(VALUES) == template.render(VALUES)


@pytest.mark.parametrize(
    "name", ["every kind of value", "a loop", "macros", "set blocks", "blocks in loops", "call blocks"]
)
def test_text_that_is_not_escaped_would_be_noticed(name: str) -> None:
    wanted, found = both(name, Unescaping)
    assert found != wanted
    assert "<script>" in found or "<a>" in found


def test_a_word_that_is_kept_too_long_would_be_noticed() -> None:
    wanted, found = both("a word that changes by itself", Keeping)
    assert wanted == "&lt;1&gt;&lt;2&gt;"
    assert found == "&lt;1&gt;&lt;1&gt;"


def test_names_are_looked_up_when_they_are_used() -> None:
    """A function that is put in later is found, and one that a page hands over is the one that counts."""
    ours = environment(Ours)
    template = ours.get_template("functions.html")
    ours.globals["shout"] = lambda text: "later"
    assert template.render(VALUES).startswith("later")
    assert template.render(VALUES, shout=lambda text: "given").startswith("given")


def test_lazy_texts_are_said_in_the_language_of_the_page() -> None:
    template = environment(Ours).from_string("{{ word }}")
    with use_place("ru"):
        assert template.render(word=lazy_gettext("Customers")) == "Клиенты"


PAGES = (
    "/customers",
    "/customers/{customer}",
    "/customers/{customer}/software",
    "/software",
    "/tickets",
    "/tickets/new",
    "/account",
)


def test_real_pages_are_the_same(app: Flask, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    alice = world.sign_in(app, "alice")
    addresses = [page.format(customer=world.customer("coho").uuid) for page in PAGES]
    alice.get(addresses[0])  # the first page of a visit makes the token of its forms
    ours = [_without_tokens(alice.get(address).text) for address in addresses]
    monkeypatch.setattr(OurEnvironment, "code_generator_class", CodeGenerator)
    app.jinja_env.cache = create_cache(400)
    assert [_without_tokens(alice.get(address).text) for address in addresses] == ours
    assert "Coho" in ours[0]


def _without_tokens(page: str) -> str:
    """The page without the token that is new in every form."""
    return "\n".join(line for line in page.splitlines() if 'name="form_token"' not in line)
