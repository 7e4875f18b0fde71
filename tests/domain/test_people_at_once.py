"""People changed by several at once, and forms about people sent twice (S-5, T5, T6, D14)."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import insert

from csp_web.db import on_sqlite, session, transaction
from csp_web.domain import audit
from csp_web.domain.access import passwords, people, sessions
from csp_web.domain.access.signing_in import sign_in
from csp_web.errors import Invalid
from csp_web.models import AuditEntry, Role, UserRole, UserSession
from tests.support.people import PASSWORD, user
from tests.world import World

ANOTHER = "a chair before the door"
TOKEN = "token-of-a-test-form"
PATIENCE = 20.0


def entries(operation: str) -> list[AuditEntry]:
    return list(session.query(AuditEntry).filter_by(operation=operation).order_by(AuditEntry.seq))


def test_t5_roles_are_changed_from_what_a_colleague_made_of_them(world: World) -> None:
    """Bob's roles were read before Alice had her turn; what was written meanwhile counts."""
    with transaction():
        bob = user(world, "bob")
        assert bob.roles == {Role.SALES_AGENT}
        session.execute(insert(UserRole).values(user_id=bob.id, role=Role.HELPDESK_AGENT))
        people.change_roles(bob, {Role.AUDITOR}, by=world.actor("alice"))
    assert user(world, "bob").roles == {Role.AUDITOR}
    assert entries("change_roles")[0].details["old"] == ["helpdesk agent", "sales agent"]


def test_b11_who_changes_people_and_who_acts_meanwhile_do_not_block_each_other(world: World) -> None:
    """Rows of the log refer to the partner. On PostgreSQL that waited for the change, which waited for the log."""
    said: list[str] = []
    finished = threading.Event()

    def act() -> None:
        try:
            with transaction():
                audit.record("something", by=world.actor("alice"), resource=("test", 1))
            said.append("done")
        finally:
            session.remove()
            finished.set()

    other = threading.Thread(target=act)
    with transaction():
        people.disable_user(user(world, "bob"), by=world.actor("alice"))
        other.start()
        assert on_sqlite() or finished.wait(PATIENCE), "the log waits for the change of a person"
    other.join(PATIENCE)
    assert said == ["done"]
    assert list(audit.broken_links()) == []


def test_t6_a_new_password_sent_twice_is_one(world: World) -> None:
    """The page with the new password, loaded again, must not undo what the person has chosen since."""
    for chosen in (PASSWORD, ANOTHER):
        with transaction():
            people.reset_password(user(world, "bob"), by=world.actor("alice"), password=PASSWORD, token=TOKEN)
        assert passwords.fits(user(world, "bob").password_hash, chosen)
        with transaction():
            user(world, "bob").password_hash = passwords.hash_password(ANOTHER)
    assert len(entries("reset_password")) == 1


def come_in(checked: threading.Event, changed: threading.Event, said: list[str]) -> None:
    """Bob's password is checked and found right; then it takes a while until the session begins."""
    fits = passwords.fits

    def fits_and_waits(stored: str | None, password: str) -> bool:
        right = fits(stored, password)
        checked.set()
        return changed.wait(PATIENCE) and right

    try:
        with pytest.MonkeyPatch.context() as slow:
            slow.setattr(passwords, "fits", fits_and_waits)
            sign_in("bob@contoso.example", PASSWORD, hours=1, address="192.0.2.1", agent="test")
        said.append("in")
    except Invalid:
        said.append("refused")
    finally:
        session.remove()


def test_s5_a_sign_in_with_the_old_password_does_not_outlive_its_change(world: World) -> None:
    with transaction():
        user(world, "bob").password_hash = passwords.hash_password(PASSWORD)
    checked, changed, said = threading.Event(), threading.Event(), list[str]()
    thief = threading.Thread(target=come_in, args=(checked, changed, said))
    thief.start()
    assert checked.wait(PATIENCE)
    with transaction():
        bob = user(world, "bob")
        bob.password_hash = passwords.hash_password(ANOTHER)
        sessions.end_all(bob.id, by=None, resource=bob.email)
        changed.set()
        thief.join(0.5)  # on PostgreSQL nothing but the row of the person keeps the other from going on
    thief.join(PATIENCE)
    assert said == ["refused"]
    assert session.query(UserSession).filter_by(revoked_at=None).count() == 0
