"""Texts of ours that are kept, and read later by somebody of another language (B13).

``_("Cancelled in ticket %(number)s.", number=…)`` remembers how it was said (``i18n.Said``). ``stored`` writes that down in
place of the words: ``csp:["text","Cancelled in ticket %(number)s.",{"number":"…"}]``; ``again`` says it in the language in
force. What a person typed, and what was stored as words before, is shown as it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Any, Final

from csp_web import i18n
from csp_web.i18n import LazyText, Said

MARK: Final = "csp:"
_PLACEHOLDER = re.compile(r"%\((\w+)\)s")


def stored(text: str | LazyText, longest: int = 0) -> str:
    """What is written into a column for a text. One that would be longer than ``longest`` characters is kept in words."""
    if isinstance(text, Said | LazyText):
        written = MARK + json.dumps(_written(text), ensure_ascii=False, separators=(",", ":"))
    elif text.startswith(MARK):  # somebody typed our mark
        written = MARK + json.dumps(["typed", text], ensure_ascii=False)
    else:
        written = text
    return written if not longest or len(written) <= longest else str(text)[:longest]


def again(text: str | None) -> str:
    """A stored text, said in the language and on the clock in force."""
    if not text or not text.startswith(MARK):
        return text or ""
    try:
        kind, *facts = json.loads(text.removeprefix(MARK))
        return _KINDS[kind](*facts)
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError):
        return text


def joined(parts: Iterable[str], between: str = " ") -> str:
    """Several texts as one that can be said again; empty ones are left out."""
    texts = tuple(part for part in parts if part)
    return Said(between.join(texts), "joined", between, texts)


def _written(value: Any) -> Any:
    if isinstance(value, LazyText):
        return ["text", value.message, _values(value.values)]
    if isinstance(value, Said):
        kind, *facts = value.how
        return [kind, *(_fact(fact) for fact in facts)]
    return value if isinstance(value, int) else str(value)


def _fact(fact: Any) -> Any:
    if isinstance(fact, dict):
        return _values(fact)
    if isinstance(fact, tuple):
        return [_written(each) for each in fact]
    return fact.isoformat() if isinstance(fact, date) else _written(fact)


def _values(values: dict[str, Any]) -> dict[str, Any]:
    return {name: _written(value) for name, value in values.items()}


def _read(node: Any) -> Any:
    if not isinstance(node, list):
        return node
    kind, *facts = node
    return _KINDS[kind](*facts)


def _text(message: str, values: dict[str, Any]) -> str:
    said = {name: _read(value) for name, value in values.items()}
    if message in i18n.catalogue("ru").one:
        return i18n.gettext(message, **said)
    return _filled(message, said)  # the product says it otherwise by now


def _plural(singular: str, plural: str, number: int, values: dict[str, Any]) -> str:
    said = {name: _read(value) for name, value in values.items()}
    if singular in i18n.catalogue("ru").many:
        return i18n.ngettext(singular, plural, number, **said)
    return _filled(singular if number == 1 else plural, {"num": i18n.format_number(number), **said})


def _filled(message: str, values: dict[str, Any]) -> str:
    return _PLACEHOLDER.sub(lambda found: str(values.get(found[1], "")), message)


def _moment(text: str) -> date:
    return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)


_KINDS: dict[str, Callable[..., str]] = {
    "text": _text,
    "plural": _plural,
    "joined": lambda between, parts: joined(map(_read, parts), between),
    "typed": str,
    "date": lambda text: i18n.format_date(_moment(text)),
    "datetime": lambda text: i18n.format_datetime(datetime.fromisoformat(text)),
    "money": lambda amount, currency: i18n.format_money(int(amount), str(currency)),
    "size": lambda size: i18n.format_size(int(size)),
}
