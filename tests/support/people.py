"""People of the test world: their rows, what the log says about them, passwords that cost little."""

from __future__ import annotations

from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from csp_web.db import session, transaction
from csp_web.domain.access import passwords, people
from csp_web.models import AuditEntry, Partner, Role, User
from tests.world import World

PASSWORD = "a lamp upon the stairs"
HOUR = timedelta(hours=1)


@pytest.fixture
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes that cost little, where a test makes many of them."""
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    passwords._nobodys_hash.cache_clear()


def user(world: World, name: str) -> User:
    return session.get_one(User, world.people[name])


def partner(world: World, name: str) -> Partner:
    return session.get_one(Partner, world.partners[name])


def last_audit() -> AuditEntry:
    return session.scalars(select(AuditEntry).order_by(AuditEntry.seq.desc()).limit(1)).one()


def audited(operation: str) -> AuditEntry:
    return session.scalars(
        select(AuditEntry).filter_by(operation=operation).order_by(AuditEntry.seq.desc())
    ).first() or (pytest.fail(f"no row for {operation}"))


def add(world: World, by: str, **more: object) -> User:
    given: dict[str, object] = {
        "email": "Nina@Contoso.example",
        "name": "Nina",
        "roles": [Role.SALES_AGENT],
        "password": PASSWORD,
    }
    with transaction():
        return people.add_user(partner(world, "contoso"), by=world.actor(by), **{**given, **more})  # type: ignore[arg-type]


def with_password(world: World, name: str, password: str = PASSWORD) -> None:
    with transaction():
        user(world, name).password_hash = passwords.hash_password(password)
