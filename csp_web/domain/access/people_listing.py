"""Lists of people and of partners."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Row, func, select

from csp_web.db import session
from csp_web.domain.paging import Page, page_of
from csp_web.models import Partner, Role, User, UserRole

_people = User.__table__.c
_partners = Partner.__table__.c


@dataclass(frozen=True, slots=True)
class PeoplePage:
    """A page of people (id, e-mail, name, when disabled, organisation) and the roles of each."""

    page: Page
    roles: dict[int, list[Role]]


def list_people(*, partner_id: int | None = None, text: str = "", cursor: str | None = None) -> PeoplePage:
    """People by e-mail address, of one organisation or of all; ``text`` is a part of a name or an address.

    Two statements, whatever their number.
    """
    shown = (User.id, User.name, User.disabled_at, User.partner_id, Partner.name.label("organisation"))
    statement = select(User.email, *shown).join(Partner, Partner.id == User.partner_id)
    if partner_id is not None:
        statement = statement.where(User.partner_id == partner_id)
    if text:
        wanted = text.casefold()
        statement = statement.where(
            func.lower(User.name).contains(wanted, autoescape=True) | User.email.contains(wanted, autoescape=True)
        )
    page = page_of(statement, (_people.email,), cursor=cursor, descending=False)
    return PeoplePage(page, _roles_of([row.id for row in page.rows]))


def _roles_of(ids: Sequence[int]) -> dict[int, list[Role]]:
    found: dict[int, list[Role]] = {}
    for user_id, role in session.execute(select(UserRole.user_id, UserRole.role).where(UserRole.user_id.in_(ids))):
        found.setdefault(user_id, []).append(role)
    order = list(Role)
    return {user_id: sorted(roles, key=order.index) for user_id, roles in found.items()}


def list_partners(*, cursor: str | None = None) -> Page:
    """Partners by name, with how many people each has: name, id, country, is_operator, support_email, people."""
    people = select(func.count()).select_from(User).where(User.partner_id == Partner.id).scalar_subquery()
    statement = select(
        Partner.name, Partner.id, Partner.country, Partner.is_operator, Partner.support_email, people.label("people")
    )
    return page_of(statement, (_partners.name,), cursor=cursor, descending=False)


def partner_names() -> Sequence[Row[int, str]]:
    """Id and name of every organisation, for a choice."""
    return session.execute(select(Partner.id, Partner.name).order_by(Partner.name)).all()
