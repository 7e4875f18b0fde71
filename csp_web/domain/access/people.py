"""People and organisations: add, change roles, disable, passwords, profiles (D14).

``by=None`` is the command line on the server itself: whoever may start it has the database in hand anyway.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from csp_web import i18n
from csp_web.db import for_update, now, session, transaction
from csp_web.domain import audit, once
from csp_web.domain.access import passwords, sessions, throttle
from csp_web.domain.access.actors import Actor, actor_of, require
from csp_web.domain.access.people_rules import disable_problems, password_reset_problems, rank_problems, role_problems
from csp_web.domain.companies.countries import is_country
from csp_web.errors import Conflict, Forbidden, Invalid, Refused
from csp_web.i18n import gettext as _
from csp_web.identifiers import clean_text, fold
from csp_web.models import Partner, Role, User, UserRole

LONGEST_NAME = 200
_INSIDE = (".local", ".test")  # reserved, and yet what companies call their networks


def normalize_email(text: str) -> str:
    """An e-mail address as it is stored and compared: lower case.

    Raises:
        ValueError: with a sentence. Addresses inside a company (``name@mail.local``) are taken.
    """
    tidy = clean_text(text).lower()
    inside = next((end for end in _INSIDE if tidy.endswith(end)), "")
    try:
        checked = validate_email(tidy.removesuffix(inside) + ".example" * bool(inside), check_deliverability=False)
    except EmailNotValidError as error:
        raise ValueError(_("This is not an e-mail address. It looks like name@example.com.")) from error
    return checked.normalized.removesuffix(".example") + inside if inside else checked.normalized.lower()


def add_user(
    partner: Partner,
    *,
    by: Actor | None,
    email: str,
    name: str,
    roles: Iterable[Role],
    password: str,
    temporary: bool = True,
    phone: str = "",
    language: str = "en",
    time_zone: str = "UTC",
    token: str = "",
    password_hash: str = "",
) -> User:
    """Add a person. With a form's ``token`` the same form sent twice is one person.

    A ``temporary`` password opens only the page on which it is changed. ``password_hash`` is the password's, made
    before the transaction: hashing must not hold up writers.

    Raises:
        Forbidden: the role may not manage these people. Invalid: a field does not fit, or the address is taken.
    """
    _require_manager(partner, by)
    wanted = frozenset(roles)
    content = {"partner": partner.id, "email": email, "name": name, "roles": sorted(wanted)}
    before = once.first_time(token, purpose="add_user", content=content, by=by) if token and by else None
    if before is not None:
        return session.get_one(User, int(before))
    problems = _person_problems(name, language, time_zone) | _password_problems(password, name, email)
    if refusals := role_problems(partner, wanted, given=wanted, by=by):
        problems["roles"] = refusals[0]
    user = User(
        partner_id=partner.id,
        email=_free_email(email, problems),
        name=clean_text(name),
        phone=clean_text(phone),
        password_hash=password_hash or passwords.hash_password(password),
        password_temporary=temporary,
        language=language,
        time_zone=time_zone,
    )
    user.role_rows = [UserRole(role=role, granted_by_id=by.id if by else None) for role in sorted(wanted)]
    _insert(user, "email", _("This address is in use already."))
    _record("add_user", user, by, new=sorted(wanted), name=user.name)
    if token and by:
        once.done(token, by=by, result=user.id)
    return user


def change_roles(user: User, roles: Iterable[Role], *, by: Actor | None) -> None:
    """Give a person exactly these roles. The person's sessions end, so that no old right lives on (S-5).

    Raises:
        Forbidden: the role may not manage these people. Invalid: why these roles cannot be given or taken.
    """
    _require_manager(user.partner, by)
    _take_turn(user)
    old, new = user.roles, frozenset(roles)
    if old == new:
        return
    if problems := role_problems(user.partner, new, given=old ^ new, by=by, user=user):
        raise Invalid({"roles": problems[0]})
    giver = by.id if by else None
    kept = [row for row in user.role_rows if row.role in new]
    user.role_rows = kept + [UserRole(role=role, granted_by_id=giver) for role in sorted(new - old)]
    session.flush()
    _record("change_roles", user, by, old=sorted(old), new=sorted(new))
    sessions.end_all(user.id, by=by, resource=user.email)


def disable_user(user: User, *, by: Actor | None) -> None:
    """Keep a person out at once: the sessions end, signing in is refused. Done twice it is done once.

    Raises:
        Forbidden: the role may not manage these people. Refused: it is the last administrator, or oneself.
    """
    _require_manager(user.partner, by)
    _take_turn(user)
    if not user.is_active:
        return
    if problems := disable_problems(user, by):
        raise Refused(problems[0])
    user.disabled_at, user.disabled_by_id = now(), by.id if by else None
    _record("disable_user", user, by, old="active", new="disabled")
    sessions.end_all(user.id, by=by, resource=user.email)


def enable_user(user: User, *, by: Actor | None) -> None:
    """Let a disabled person sign in again.

    Raises:
        Forbidden: the role may not manage these people. Refused: only an operator admin may.
    """
    _require_manager(user.partner, by)
    _take_turn(user)
    if user.is_active:
        return
    if problems := rank_problems(user, by):
        raise Refused(problems[0])
    user.disabled_at, user.disabled_by_id = None, None
    _record("enable_user", user, by, old="disabled", new="active")


@dataclass(frozen=True, slots=True)
class NewPassword:
    """A new password that was checked, and the hash of the one that it replaces."""

    hash: str
    replaces: str


def check_new_password(user: User, *, by: Actor, old: str, new: str) -> NewPassword:
    """Check a new password before the transaction: hashing must not hold up writers. Guessing is slowed down.

    Raises:
        Invalid: the old password is wrong, or the new one is not taken. TooManyAttempts: wait first.
    """
    present, about = user.password_hash, (user.name, user.email, user.email.partition("@")[0])
    subjects = throttle.subjects_of(user.email, by.address, at_home=True)
    throttle.count(subjects)
    if not passwords.fits(present, old):
        raise Invalid({"old_password": _("This is not your current password.")})
    with transaction():
        throttle.forgive(subjects)
    problem = passwords.password_problem(new, about=about)
    if not problem and passwords.fits(present, new):
        problem = _("This is your current password. Choose another one.")
    if problem:
        raise Invalid({"new_password": problem})
    return NewPassword(passwords.hash_password(new), replaces=present)


def change_password(user: User, password: NewPassword, *, by: Actor, keep_session: str | None = None) -> None:
    """Change one's own password. All other sessions end; the one with the token ``keep_session`` stays.

    Raises:
        Conflict: it was changed meanwhile.
    """
    if user.id != by.id:
        raise Forbidden(_("You can change only your own password."))
    if user.password_hash != password.replaces:
        raise Conflict(_("Your password has been changed in the meantime."))
    user.password_hash, user.password_temporary = password.hash, False
    _record("change_password", user, by)
    sessions.end_all(user.id, by=by, resource=user.email, keep=keep_session)


def reset_password(
    user: User,
    *,
    by: Actor | None,
    password: str,
    temporary: bool = True,
    token: str = "",
    password_hash: str = "",
) -> None:
    """Give a person a new temporary password and end the sessions.

    With a form's ``token`` the same form sent again changes nothing: the person may have chosen a password since.
    ``password_hash`` as in ``add_user``.

    Raises:
        Forbidden: the role may not manage these people. Refused: own password, or only an operator admin may.
        Invalid: the password is not taken.
    """
    _require_manager(user.partner, by)
    if token and by and once.first_time(token, purpose="reset_password", content={"user": user.id}, by=by) is not None:
        return
    _take_turn(user)
    if problems := password_reset_problems(user, by):
        raise Refused(problems[0])
    if problem := _password_problems(password, user.name, user.email):
        raise Invalid(problem)
    user.password_hash = password_hash or passwords.hash_password(password)
    user.password_temporary = temporary
    _record("reset_password", user, by)
    sessions.end_all(user.id, by=by, resource=user.email)
    if token and by:
        once.done(token, by=by, result=user.id)


def update_profile(user: User, *, by: Actor, name: str, phone: str, language: str, time_zone: str) -> None:
    """Change one's own name, phone, language and time zone.

    Raises:
        Invalid: a field does not fit.
    """
    if user.id != by.id:
        raise Forbidden(_("You can change only your own profile."))
    if problems := _person_problems(name, language, time_zone):
        raise Invalid(problems)
    wanted = {"name": clean_text(name), "phone": clean_text(phone), "language": language, "time_zone": time_zone}
    changes = {field: [getattr(user, field), value] for field, value in wanted.items() if getattr(user, field) != value}
    for field, (_old, value) in changes.items():
        setattr(user, field, value)
    if changes:
        _record("update_profile", user, by, changes=changes)


def choose_language(user_id: int, code: str) -> None:
    """Remember the language that a person chose by the switch of the page.

    Raises:
        Invalid: there is no such language.
    """
    user = session.get_one(User, user_id)
    if code not in i18n.LANGUAGES:
        raise Invalid({"language": _("Choose a language.")})
    if user.language != code:
        _record("update_profile", user, actor_of(user), changes={"language": [user.language, code]})
        user.language = code


def add_partner(
    *, by: Actor | None, name: str, country: str, support_email: str = "", is_operator: bool = False, token: str = ""
) -> Partner:
    """Add an organisation. With a form's ``token`` the same form sent twice is one organisation.

    Raises:
        Forbidden: only an operator admin may. Invalid: a field does not fit, or the name is taken.
    """
    _require_operator(by)
    content = {"name": name, "country": country, "support_email": support_email}
    before = once.first_time(token, purpose="add_partner", content=content, by=by) if token and by else None
    if before is not None:
        return session.get_one(Partner, int(before))
    partner = Partner(is_operator=is_operator, **_partner_values(name, country, support_email))
    _insert(partner, "name", _taken_name())
    audit.record(
        "add_partner", by=by, resource=("partner", partner.name), partner_id=partner.id, country=partner.country
    )
    if token and by:
        once.done(token, by=by, result=partner.id)
    return partner


def edit_partner(partner: Partner, *, by: Actor | None, name: str, country: str, support_email: str = "") -> None:
    """Change an organisation.

    Raises:
        Forbidden: only an operator admin may. Invalid: a field does not fit, or the name is taken.
    """
    _require_operator(by)
    values = _partner_values(name, country, support_email, itself=partner)
    changes = {
        field: [getattr(partner, field), value] for field, value in values.items() if getattr(partner, field) != value
    }
    for field, (_old, value) in changes.items():
        setattr(partner, field, value)
    if changes:
        audit.record("edit_partner", by=by, resource=("partner", partner.name), partner_id=partner.id, changes=changes)


def _require_manager(partner: Partner, by: Actor | None) -> None:
    if by is None or by.may("operator.manage"):
        return
    require(by, "users.manage")
    if partner.id != by.partner_id:
        raise Forbidden(_("These are people of another organisation."))


def _take_turn(user: User) -> None:
    """Changes to the people of an organisation wait for each other, and each sees what the one before it did."""
    for_update(Partner, user.partner_id)
    session.refresh(user)


def _require_operator(by: Actor | None) -> None:
    if by is not None:
        require(by, "operator.manage")


def _person_problems(name: str, language: str, time_zone: str) -> dict[str, str]:
    problems = {}
    if not clean_text(name):
        problems["name"] = _("Enter a name.")
    elif len(name) > LONGEST_NAME:
        problems["name"] = _("A name has at most %(count)s characters.", count=LONGEST_NAME)
    if language not in i18n.LANGUAGES:
        problems["language"] = _("Choose a language.")
    if not i18n.known_zone(time_zone):
        problems["time_zone"] = _("Choose a time zone.")
    return problems


def _password_problems(password: str, name: str, email: str) -> dict[str, str]:
    problem = passwords.password_problem(password, about=(name, email, email.partition("@")[0]))
    return {"password": problem} if problem else {}


def _free_email(text: str, problems: dict[str, str]) -> str:
    """The address as it is stored; raises all problems found so far, with its own."""
    email = ""
    try:
        email = normalize_email(text)
    except ValueError as error:
        problems["email"] = str(error)
    if email and session.scalar(select(User.id).filter_by(email=email)) is not None:
        problems["email"] = _("This address is in use already.")
    if problems:
        raise Invalid(problems)
    return email


def _partner_values(
    name: str, country: str, support_email: str, itself: Partner | None = None
) -> dict[str, str | None]:
    problems = {}
    tidy = " ".join(clean_text(name).split())
    if not tidy or len(tidy) > LONGEST_NAME:
        problems["name"] = _("Enter a name of at most %(count)s characters.", count=LONGEST_NAME)
    elif _name_taken(tidy, itself):
        problems["name"] = _taken_name()
    if not is_country(country):
        problems["country"] = _("Choose a country.")
    email = None
    try:
        email = normalize_email(support_email) if support_email.strip() else None
    except ValueError as error:
        problems["support_email"] = str(error)
    if problems:
        raise Invalid(problems)
    return {"name": tidy, "country": country, "support_email": email}


def _name_taken(name: str, itself: Partner | None) -> bool:
    others = session.execute(select(Partner.id, Partner.name))
    return any(fold(row.name) == fold(name) and (itself is None or row.id != itself.id) for row in others)


def _taken_name() -> str:
    return _("There is already a partner with this name.")


def _insert(row: User | Partner, field: str, sentence: str) -> None:
    """Write a new row; somebody else may have taken the name a moment ago."""
    session.add(row)
    try:
        session.flush()
    except IntegrityError as error:
        raise Invalid({field: sentence}) from error


def _record(operation: str, user: User, by: Actor | None, **details: Any) -> None:
    audit.record(operation, by=by, resource=("user", user.email), partner_id=user.partner_id, **details)
