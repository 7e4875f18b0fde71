"""B11, B13: the activity log says every act and every thing in words, never by its code."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache

from csp_web.domain.audit_words import DETAILS, OPERATIONS, RESOURCES
from tests.i18n.extraction import ROOT

WRITERS = frozenset({"record", "declined", "_audit", "_record", "_declined", "_told"})
NO_DETAILS = frozenset({"by", "resource", "customer", "partner_id", "status"})


@cache
def _calls() -> tuple[ast.Call, ...]:
    trees = (ast.parse(path.read_text()) for path in sorted((ROOT / "csp_web").rglob("*.py")))
    nodes = (node for tree in trees for node in ast.walk(tree))
    return tuple(node for node in nodes if isinstance(node, ast.Call) and _name(node) in WRITERS)


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _text(value: ast.expr) -> Iterator[str]:
    """The literals that an argument can be: a text, or one of two."""
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        yield value.value
    if isinstance(value, ast.IfExp):
        yield from _text(value.body)
        yield from _text(value.orelse)


def operations() -> set[str]:
    """The codes of acts that code writes into the log."""
    return {code for call in _calls() for value in call.args[:1] for code in _text(value)}


def resources() -> set[str]:
    """The kinds of things that code writes into the log."""
    given = (keyword.value for call in _calls() for keyword in call.keywords if keyword.arg == "resource")
    return {code for value in given if isinstance(value, ast.Tuple) for code in _text(value.elts[0])}


def test_b11_every_act_that_is_logged_has_a_name_for_people() -> None:
    assert len(operations()) > 20
    assert operations() - set(OPERATIONS) == set()


def test_b11_everything_that_is_acted_on_has_a_name_for_people() -> None:
    assert len(resources()) > 8
    assert resources() - set(RESOURCES) == set()


def details() -> set[str]:
    """The names of details that code writes into the log."""
    return {keyword.arg for call in _calls() for keyword in call.keywords if keyword.arg} - NO_DETAILS


def test_b11_every_detail_has_a_label_for_people() -> None:
    assert len(details()) > 20
    assert details() - set(DETAILS) == set()
