"""Types of problem: data with their own extra fields (D4). The one for refunds is the one that the seed names (R38)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from csp_web.db import read, session
from csp_web.i18n import language
from csp_web.models import ProblemType

REFUND = "refund"


@dataclass(frozen=True, slots=True)
class TypeOfProblem:
    """A type as the form shows it, its name in the language in force."""

    code: str
    name: str
    fields: tuple[str, ...]
    is_refund: bool


# code, English name, Russian name, extra fields
_SHIPPED = (
    (
        REFUND,
        "CSP Purchase/Refund on behalf of customers",
        "Покупка или возврат CSP от имени клиентов",
        ["customer", "order_or_subscription", "refund_reason", "amount"],
    ),
    (
        "product_key",
        "Product key",
        "Ключ продукта",
        ["customer", "order_or_subscription", "version", "error_message"],
    ),
    (
        "downloads",
        "Downloads",
        "Загрузки",
        ["customer", "order_or_subscription", "version", "error_message"],
    ),
    ("order", "Order or invoice", "Заказ или счёт", ["customer", "order_or_subscription"]),
    ("profile", "Cannot manage my profile", "Не удаётся управлять профилем", ["error_message"]),
    ("other", "Other", "Другое", ["customer"]),
)


def install_problem_types() -> int:
    """Write the shipped types that are missing; what the operator changed stays. Says how many were written."""
    there = set(session.scalars(select(ProblemType.code)))
    missing = [
        ProblemType(
            code=code, names={"en": english, "ru": russian}, fields=names, is_refund=code == REFUND, position=position
        )
        for position, (code, english, russian, names) in enumerate(_SHIPPED)
        if code not in there
    ]
    session.add_all(missing)
    session.flush()
    return len(missing)


_columns = ProblemType.__table__.c
_OFFERED = (
    select(_columns.code, _columns.names, _columns.fields, _columns.is_refund)
    .where(_columns.retired_at.is_(None))
    .order_by(_columns.position, _columns.code)
)


def types_of_problem() -> Sequence[TypeOfProblem]:
    """The types that are offered, in their order."""
    return [type_view(row) for row in session.execute(_OFFERED)]


_NAMES = select(_columns.code, _columns.names).order_by(_columns.position, _columns.code)


def names_of_types() -> Sequence[tuple[str, str]]:
    """Code and name of every type, retired ones too: what a list of tickets is narrowed by."""
    spoken = language()
    return [(row.code, row.names.get(spoken) or row.names["en"]) for row in read(_NAMES)]


def type_view(row: Any) -> TypeOfProblem:
    """A type's row as people see it."""
    name = row.names.get(language()) or row.names["en"]
    return TypeOfProblem(row.code, name, tuple(row.fields), row.is_refund)
