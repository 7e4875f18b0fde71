"""The first person of an installation, made in the browser by whoever can read the server's console (S-5).

An installation without people would belong to whoever comes first. A code that lies in the data directory, readable by
the owner of the server alone, tells the person at the browser from a stranger. With the first person the code is gone,
and so is the way in: nothing of this works again.
"""

from __future__ import annotations

import hmac
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from sqlalchemy import select

from csp_web.db import session, transaction
from csp_web.domain import audit
from csp_web.domain.access import passwords, people, sessions, throttle
from csp_web.domain.upkeep import configured
from csp_web.errors import Conflict, Invalid
from csp_web.i18n import gettext as _
from csp_web.models import Role, User

CODE_FILE = "setup-code"


def code_file() -> Path:
    """Where the code lies."""
    return configured.settings().data_dir / CODE_FILE


def nobody_yet() -> bool:
    """Whether the installation has no person at all, not even a disabled one."""
    return session.scalar(select(User.id).limit(1)) is None


def offer() -> str:
    """The code of an installation without people, made if need be; where there are people it is taken away: empty."""
    if not nobody_yet():
        close()
        return ""
    with suppress(FileExistsError):
        descriptor = os.open(code_file(), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(passwords.new_password() + "\n")
    return code() or offer_anew()


def offer_anew() -> str:
    """A code in place of one that cannot be used, such as an empty file that a full disk left."""
    close()
    return offer()


def code() -> str:
    """The code in force; empty when none is."""
    try:
        return code_file().read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def is_open() -> bool:
    """Whether the first person can be made in the browser now."""
    return bool(code()) and nobody_yet()


def close() -> None:
    """Take the code away."""
    code_file().unlink(missing_ok=True)


def proof_for(typed: str, *, address: str) -> str:
    """What a browser keeps that knew the code, and shows at every further step. Guessing is slowed down.

    Raises:
        Invalid: it is not the code. TooManyAttempts: wait first.
    """
    subjects = throttle.subjects_of_setup(address)
    throttle.count(subjects)
    if not hmac.compare_digest(_digest(_plain(typed)), _digest(_plain(code()))) or not code():
        raise Invalid({"code": _("This is not the setup code.")})
    with transaction():
        throttle.forgive(subjects)
    return _proof()


def is_proof(proof: object) -> bool:
    """Whether a browser knew the code that is in force."""
    return isinstance(proof, str) and bool(code()) and hmac.compare_digest(proof.encode(), _proof().encode())


def _proof() -> str:
    """Not the code itself, nor anything from which it could be found: it stands in a cookie that can be read."""
    key = configured.settings().secret_key
    return hmac.digest(key.encode(), b"first setup " + _plain(code()).encode(), sha256).hex()


def _plain(text: str) -> str:
    """A code as it is compared: dashes, spaces and capital letters are how people write it down."""
    return "".join(text[:100].lower().replace("-", "").split())


def _digest(text: str) -> bytes:
    return sha256(text.encode("utf-8", "surrogatepass")).digest()


@dataclass(frozen=True, slots=True)
class Beginning:
    """The first organisation and the first person, as they were typed."""

    organisation: str
    country: str
    support_email: str
    sells: bool  # the operator is the reseller too
    supports: bool  # the person answers support requests too
    name: str
    email: str
    password: str
    language: str
    time_zone: str

    @property
    def roles(self) -> list[Role]:
        """An operator admin in any case; nobody can give roles to themselves later."""
        more = [(Role.ADMIN_AGENT, self.sells), (Role.SUPPORT_AGENT, self.supports)]
        return [Role.OPERATOR_ADMIN, *(role for role, wanted in more if wanted)]


def set_up(given: Beginning, *, hours: int, address: str, agent: str, request_id: str = "") -> str:
    """Make the operator's organisation and the first person, and sign the person in. Returns the session's token.

    Makes a transaction of its own: hashing must not hold up writers. Of several browsers at once one wins.

    Raises:
        Conflict: there is a person already. Invalid: a field does not fit; those of the organisation begin with ``partner_``.
    """
    problem = passwords.password_problem(given.password, about=(given.name, given.email, given.email.partition("@")[0]))
    hashed = "" if problem else passwords.hash_password(given.password)
    with transaction():
        audit.take_turn()
        if not nobody_yet():
            raise Conflict(_("This installation has been set up already. Sign in."))
        user = _first_user(given, hashed or secrets.token_hex())
        token = sessions.start(user, hours=hours, address=address, agent=agent, request_id=request_id)
        audit.record("set_up", by=None, resource=("user", user.email), partner_id=user.partner_id, from_address=address)
    close()
    return token


def _first_user(given: Beginning, hashed: str) -> User:
    try:
        operator = people.add_partner(
            by=None,
            name=given.organisation,
            country=given.country,
            support_email=given.support_email,
            is_operator=True,
        )
    except Invalid as error:
        raise Invalid({f"partner_{field}": sentence for field, sentence in error.problems.items()}) from error
    return people.add_user(
        operator,
        by=None,
        email=given.email,
        name=given.name,
        roles=given.roles,
        password=given.password,
        password_hash=hashed,
        temporary=False,
        language=given.language,
        time_zone=given.time_zone,
    )
