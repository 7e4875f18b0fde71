"""The person who acts: who it is, for which partner, and what the roles allow."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import Select, bindparam, select

from csp_web.db import Base, session
from csp_web.domain.access.permissions import PERMISSIONS, ROLE_NAMES, roles_with
from csp_web.errors import Forbidden, NotFound
from csp_web.i18n import gettext as _
from csp_web.models import Role, Ticket, User, UserRole
from csp_web.said import joined

Row = TypeVar("Row", bound=Base)
_COLLEAGUES_READ, _COLLEAGUES_NAMED = 500, 3


@dataclass(frozen=True, slots=True)
class Actor:
    """A signed-in person as one request or command sees it; read once, never written back."""

    id: int
    partner_id: int
    email: str
    name: str
    partner_name: str = ""
    phone: str = ""
    roles: frozenset[Role] = field(default_factory=frozenset)
    language: str = "en"
    time_zone: str = "UTC"
    of_operator: bool = False
    address: str = ""
    request_id: str = ""
    confirmed_at: datetime | None = None  # when this session's password was typed last; None: not a session

    def may(self, permission: str) -> bool:
        """Whether one of the roles has a permission."""
        return not self.roles.isdisjoint(PERMISSIONS[permission])

    @property
    def sees_all_partners(self) -> bool:
        """Whether the tickets of every partner are this person's work."""
        return self.of_operator and Role.SUPPORT_AGENT in self.roles


def actor_of(user: User, *, address: str = "", request_id: str = "") -> Actor:
    """The actor for a user row: for commands, background work and tests."""
    return Actor(
        id=user.id,
        partner_id=user.partner_id,
        email=user.email,
        name=user.name,
        partner_name=user.partner.name,
        phone=user.phone,
        roles=allowed_roles(user.roles, of_operator=user.partner.is_operator),
        language=user.language,
        time_zone=user.time_zone,
        of_operator=user.partner.is_operator,
        address=address,
        request_id=request_id,
    )


def allowed_roles(roles: Iterable[Role], *, of_operator: bool) -> frozenset[Role]:
    """Roles that count: the operator's only count for people of the operator's organisation."""
    return frozenset(role for role in roles if of_operator or not role.of_operator)


def refusal(actor: Actor, permission: str) -> str:
    """Why the actor may not, naming the roles that may (D14, B6); empty when allowed."""
    if actor.may(permission):
        return ""
    roles = roles_with(permission)
    names = joined((_(ROLE_NAMES[role]) for role in roles), ", ")
    if not actor.of_operator and all(role.of_operator for role in roles):
        return _("This is done by the operator: it needs the role %(roles)s. Ask in a support request.", roles=names)
    if colleagues := _colleagues_with(actor.partner_id, roles):
        return _(
            "This needs the role: %(roles)s. Ask a colleague who has it: %(names)s.",
            roles=names,
            names=", ".join(colleagues),
        )
    return _(
        "This needs the role: %(roles)s. Ask a colleague who has it, or your admin agent to give it to you.",
        roles=names,
    )


def _colleagues_with(partner_id: int, roles: tuple[Role, ...]) -> list[str]:
    """The names of the first few people of an organisation who have one of the roles; one statement per request."""
    known: dict[int, list[tuple[str, Role]]] = session().info.setdefault("colleagues", {})
    if partner_id not in known:
        statement = (
            select(User.name, UserRole.role)
            .join(UserRole, UserRole.user_id == User.id)
            .where(User.partner_id == partner_id, User.disabled_at.is_(None))
            .order_by(User.name, User.id)
            .limit(_COLLEAGUES_READ)
        )
        known[partner_id] = [(name, role) for name, role in session.execute(statement)]
    found = dict.fromkeys(name for name, role in known[partner_id] if role in roles)
    return list(found)[:_COLLEAGUES_NAMED]


def require(actor: Actor, permission: str) -> None:
    """Refuse an actor without the permission.

    Raises:
        Forbidden: names the roles that have it. The edge audits the refusal.
    """
    if not actor.may(permission):
        raise Forbidden(refusal(actor, permission), permission=permission, roles=roles_with(permission))


def scoped(model: type[Row], actor: Actor) -> Select[Any]:
    """The rows of a model that the actor can see at all: the one place where tenancy is decided (S-1).

    Every row of a partner carries ``partner_id``. Support agents see the tickets of all partners.
    """
    return _seen(model, _sees_all(model, actor), actor.partner_id)


def _sees_all(model: type[Base], actor: Actor) -> bool:
    return model is Ticket and actor.sees_all_partners


def _seen(model: type[Base], everything: bool, partner: Any) -> Select[Any]:
    return select(model) if everything else select(model).where(model.partner_id == partner)  # type: ignore[attr-defined]


def find(model: type[Row], actor: Actor, **by: Any) -> Row:
    """One row that the actor can see, found by its columns, none of which is None.

    Raises:
        NotFound: there is none, or it is another partner's: the answer is the same.
    """
    statement = _finding(model, _sees_all(model, actor), tuple(by))
    row: Row | None = session.scalar(statement, {"partner_seen": actor.partner_id, **by})
    if row is None:
        raise NotFound
    return row


@cache
def _finding(model: type[Base], everything: bool, names: tuple[str, ...]) -> Select[Any]:
    """Built once: nearly every request finds the row that its address names."""
    wanted = [getattr(model, name) == bindparam(name) for name in names]
    return _seen(model, everything, bindparam("partner_seen")).where(*wanted)


__all__ = ["Actor", "actor_of", "allowed_roles", "find", "refusal", "require", "scoped"]
