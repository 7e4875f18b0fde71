"""Why a person may not be changed: pages show these sentences, verbs refuse on them (B6)."""

from __future__ import annotations

from sqlalchemy import func, select

from csp_web.db import session
from csp_web.domain.access.actors import Actor
from csp_web.domain.access.permissions import ROLE_NAMES
from csp_web.i18n import gettext as _
from csp_web.models import Partner, Role, User, UserRole


def role_problems(
    partner: Partner, roles: frozenset[Role], *, given: frozenset[Role], by: Actor | None, user: User | None = None
) -> list[str]:
    """Why a person may not have these roles; ``given`` are those that are given or taken now."""
    problems = []
    if not roles:
        problems.append(_("Choose at least one role."))
    foreign = sorted(role for role in roles if role.of_operator and not partner.is_operator)
    if foreign:
        problems.append(_("%(role)s is a role for the operator's own people.", role=_(ROLE_NAMES[foreign[0]])))
    if any(role.of_operator for role in given) and not _is_operator_admin(by):
        problems.append(_("Only an operator admin can give or take away the operator's roles."))
    if by is not None and user is not None and user.id == by.id and roles - user.roles:
        problems.append(_not_to_oneself())
    if user is not None and user.is_active:
        problems.extend(_last_admin_problems(user, user.roles - roles))
    return problems


def role_limits(user: User, by: Actor) -> list[str]:
    """What ``role_problems`` will refuse for this person, said before anything is chosen (B6)."""
    limits = [_not_to_oneself()] if user.id == by.id else []
    return limits + (_last_admin_problems(user, user.roles) if user.is_active else [])


def _not_to_oneself() -> str:
    return _("You cannot give roles to yourself. Ask another administrator.")


def disable_problems(user: User, by: Actor | None) -> list[str]:
    """Why a person may not be disabled."""
    problems = []
    if by is not None and user.id == by.id:
        problems.append(_("You cannot disable yourself. Ask another administrator."))
    problems.extend(rank_problems(user, by))
    if user.is_active:
        problems.extend(_last_admin_problems(user, user.roles))
    return problems


def password_reset_problems(user: User, by: Actor | None) -> list[str]:
    """Why a person may not be given a new temporary password."""
    own = by is not None and user.id == by.id
    problems = [_("Change your own password on your account page.")] if own else []
    return problems + rank_problems(user, by)


def _is_operator_admin(by: Actor | None) -> bool:
    return by is None or by.may("operator.manage")


def rank_problems(user: User, by: Actor | None) -> list[str]:
    """Why a person with the operator's roles is not changed by others than operator admins."""
    if any(role.of_operator for role in user.roles) and not _is_operator_admin(by):
        return [_("This person has one of the operator's roles; only an operator admin can do this.")]
    return []


def _last_admin_problems(user: User, lost: frozenset[Role]) -> list[str]:
    """Somebody has to be left who can give roles."""
    return [
        _(
            "%(name)s is the last %(role)s. Give this role to somebody else first.",
            name=user.name,
            role=_(ROLE_NAMES[role]),
        )
        for role in (Role.ADMIN_AGENT, Role.OPERATOR_ADMIN)
        if role in lost and not _others_with(role, user)
    ]


def _others_with(role: Role, user: User) -> int:
    statement = (
        select(func.count())
        .select_from(UserRole)
        .join(User, User.id == UserRole.user_id)
        .where(
            UserRole.role == role, User.partner_id == user.partner_id, User.disabled_at.is_(None), User.id != user.id
        )
    )
    return session.scalar(statement) or 0
