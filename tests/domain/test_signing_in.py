"""Signing in: what it says, what it costs, and how guessing is slowed down (S-5)."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select
from time_machine import TimeMachineFixture

from csp_web.db import now, session, transaction
from csp_web.domain.access import passwords, people, throttle
from csp_web.domain.access.sessions import actor_for
from csp_web.domain.access.signing_in import sign_in
from csp_web.errors import Invalid
from csp_web.models import AuditEntry, AuditStatus, SignInThrottle, UserSession
from tests.support.people import HOUR, PASSWORD, last_audit, user, with_password
from tests.world import World

# ---------------------------------------------------------------- signing in


def attempt(email: str, password: str, address: str = "192.0.2.1") -> object:
    return sign_in(email, password, hours=1, address=address, agent="test")


def test_signing_in_makes_a_session_and_is_audited(world: World, cheap_hashes: None) -> None:
    with_password(world, "bob")
    found = sign_in(" Bob@CONTOSO.example ", PASSWORD, hours=1, address="192.0.2.1", agent="test")
    assert actor_for(found.token, idle=HOUR, address="", request_id="") is not None
    assert (last_audit().operation, last_audit().status) == ("sign_in", AuditStatus.SUCCEEDED)
    assert session.scalars(select(UserSession)).one().token_hash != found.token.encode()


def test_an_outdated_hash_is_made_again(world: World, cheap_hashes: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with_password(world, "bob")
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=2, memory_cost=64, parallelism=1))
    before = user(world, "bob").password_hash
    attempt("bob@contoso.example", PASSWORD)
    assert user(world, "bob").password_hash != before
    attempt("bob@contoso.example", PASSWORD)


def test_known_unknown_and_disabled_get_the_same_words(world: World, cheap_hashes: None) -> None:
    with_password(world, "bob")
    with_password(world, "helen")
    with transaction():
        people.disable_user(user(world, "helen"), by=world.actor("alice"))
    sentences = set()
    for email, password in (
        ("bob@contoso.example", "wrong"),
        ("nobody@contoso.example", PASSWORD),
        ("helen@contoso.example", PASSWORD),
    ):
        with pytest.raises(Invalid) as refused:
            attempt(email, password)
        assert refused.value.problems == {}
        sentences.add(refused.value.sentence)
    assert len(sentences) == 1
    reasons = session.scalars(select(AuditEntry).filter_by(operation="sign_in").order_by(AuditEntry.seq)).all()
    assert [(entry.actor_email, entry.details["reason"]) for entry in reasons] == [
        ("bob@contoso.example", "password"),
        ("", "password"),
        ("helen@contoso.example", "disabled"),
    ]


def test_known_and_unknown_cost_the_same_work(
    world: World, cheap_hashes: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S-5: every attempt verifies exactly one hash; time itself is not measured here."""
    with_password(world, "bob")
    passwords._nobodys_hash()
    verified: list[str] = []
    hasher = passwords._hasher

    class Counting:
        def verify(self, stored: str, password: bytes) -> bool:
            verified.append(stored)
            return hasher.verify(stored, password)

    monkeypatch.setattr(passwords, "_hasher", Counting())
    for email in ("bob@contoso.example", "nobody@contoso.example", "alice@contoso.example"):
        verified.clear()
        with pytest.raises(Invalid):
            attempt(email, "wrong")
        assert len(verified) == 1, email


def test_a_failed_attempt_never_keeps_what_was_typed(world: World, cheap_hashes: None) -> None:
    with pytest.raises(Invalid):
        attempt("my-secret-passphrase", "x")
    assert "my-secret" not in str([vars(row) for row in session.scalars(select(AuditEntry))])


# ---------------------------------------------------------------- throttling


def test_the_delay_grows_and_ends(world: World) -> None:
    delays = [throttle.delay_after(failures, 5).total_seconds() for failures in range(14)]
    assert delays == [0, 0, 0, 0, 0, 15, 30, 60, 120, 240, 480, 600, 600, 600]
    assert throttle.delay_after(10**6, 5) == throttle.LONGEST_DELAY


def test_guessing_is_slowed_down_and_never_locks(
    world: World, cheap_hashes: None, time_machine: TimeMachineFixture
) -> None:
    with_password(world, "bob")
    start_at = now()
    time_machine.move_to(start_at, tick=False)
    for _attempt in range(throttle.FREE_PER_ACCOUNT):
        with pytest.raises(Invalid):
            attempt("bob@contoso.example", "wrong")
    with pytest.raises(throttle.TooManyAttempts) as refused:
        attempt("bob@contoso.example", PASSWORD)
    assert refused.value.until == start_at + throttle.FIRST_DELAY
    time_machine.move_to(start_at + throttle.FIRST_DELAY - timedelta(seconds=1), tick=False)
    with pytest.raises(throttle.TooManyAttempts):
        attempt("bob@contoso.example", PASSWORD, "192.0.2.77")
    time_machine.move_to(start_at + throttle.FIRST_DELAY, tick=False)
    attempt("bob@contoso.example", PASSWORD)
    attempt("bob@contoso.example", PASSWORD)


def test_a_stranger_cannot_keep_somebody_out_of_the_usual_place(world: World, cheap_hashes: None) -> None:
    with_password(world, "bob")
    attempt("bob@contoso.example", PASSWORD, "192.0.2.1")
    for _attempt in range(throttle.FREE_PER_ACCOUNT):
        with pytest.raises(Invalid):
            attempt("bob@contoso.example", "wrong", "203.0.113.9")
    with pytest.raises(throttle.TooManyAttempts):
        attempt("bob@contoso.example", "wrong", "203.0.113.9")
    attempt("bob@contoso.example", PASSWORD, "192.0.2.1")


@pytest.mark.parametrize("addresses", [["192.0.2.9"], ["2001:db8::1", "2001:db8::ffff"]])
def test_one_address_cannot_try_many_accounts(world: World, cheap_hashes: None, addresses: list[str]) -> None:
    """Of IPv6 a whole /64 counts as one."""
    for number in range(throttle.FREE_PER_ADDRESS):
        with pytest.raises(Invalid):
            attempt(f"user{number}@contoso.example", "wrong", addresses[number % len(addresses)])
    with pytest.raises(throttle.TooManyAttempts):
        attempt("one-more@contoso.example", "wrong", addresses[0])


def test_success_forgives_the_account_but_not_the_address(world: World, cheap_hashes: None) -> None:
    with_password(world, "bob")
    for _round in range(3):
        with pytest.raises(Invalid):
            attempt("bob@contoso.example", "wrong")
        attempt("bob@contoso.example", PASSWORD)
    assert max(session.scalars(select(SignInThrottle.failures))) == 3


def test_failures_are_forgotten_after_an_hour(
    world: World, cheap_hashes: None, time_machine: TimeMachineFixture
) -> None:
    start_at = now()
    time_machine.move_to(start_at, tick=False)
    for _attempt in range(4):
        with pytest.raises(Invalid):
            attempt("bob@contoso.example", "wrong")
    time_machine.move_to(start_at + timedelta(hours=1, seconds=1), tick=False)
    for _attempt in range(4):
        with pytest.raises(Invalid):
            attempt("bob@contoso.example", "wrong")
    with transaction():
        assert throttle.forget_old_failures(start_at + timedelta(hours=4)) == 2


def test_s5_many_at_once_get_no_more_guesses_than_one_after_the_other(
    world: World, cheap_hashes: None, time_machine: TimeMachineFixture
) -> None:
    """Counted in the database before the password is looked at: the same for threads and for processes."""
    with_password(world, "bob")
    time_machine.move_to(now(), tick=False)

    def guess(_number: int) -> type[Exception] | None:
        try:
            attempt("bob@contoso.example", "wrong")
        except (Invalid, throttle.TooManyAttempts) as error:
            return type(error)
        finally:
            session.remove()
        return None

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(guess, range(24), timeout=60))
    assert answers.count(Invalid) == throttle.FREE_PER_ACCOUNT
    assert answers.count(throttle.TooManyAttempts) == 24 - throttle.FREE_PER_ACCOUNT


def test_only_a_few_passwords_are_hashed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each takes 64 MiB."""
    running, most, lock = 0, 0, threading.Lock()
    both = threading.Barrier(passwords.AT_ONCE)

    class Slow:
        def hash(self, _password: bytes) -> str:
            nonlocal running, most
            with lock:
                running, most = running + 1, max(most, running + 1)
            both.wait(30)
            with lock:
                running -= 1
            return "x"

    monkeypatch.setattr(passwords, "_hasher", Slow())
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(passwords.hash_password, ["x"] * 8, timeout=60))
    assert most == passwords.AT_ONCE
