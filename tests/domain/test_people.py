"""People: who may be given which role, who may be kept out, and passwords (D14, S-5)."""

from __future__ import annotations

import secrets
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import func, select
from time_machine import TimeMachineFixture

from csp_web.db import now, session, transaction
from csp_web.domain import passwords, people, people_rules, throttle
from csp_web.domain.sessions import actor_for, start
from csp_web.domain.signing_in import sign_in
from csp_web.errors import Conflict, Forbidden, Invalid, Refused
from csp_web.models import AuditEntry, AuditStatus, Partner, Role, SignInThrottle, User, UserSession
from tests.world import World, build_world

PASSWORD = "a lamp upon the stairs"
HOUR = timedelta(hours=1)


@pytest.fixture
def world(database: None) -> World:
    return build_world()


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


# ---------------------------------------------------------------- add


def test_an_admin_agent_adds_a_person_whose_password_is_temporary(world: World) -> None:
    nina = add(world, "alice")
    assert (nina.email, nina.roles, nina.password_temporary) == ("nina@contoso.example", {Role.SALES_AGENT}, True)
    entry = audited("add_user")
    assert (entry.partner_id, entry.details["new"]) == (nina.partner_id, ["sales agent"])
    assert PASSWORD not in str(entry.details)
    assert PASSWORD not in nina.password_hash
    assert passwords.fits(nina.password_hash, PASSWORD)


def test_the_same_form_twice_is_one_person(world: World) -> None:
    token = secrets.token_urlsafe()
    first, second = add(world, "alice", token=token), add(world, "alice", token=token)
    assert first.id == second.id
    with pytest.raises(Conflict):
        add(world, "alice", token=token, email="other@contoso.example")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "no address"),
        ("email", "alice@contoso.example"),
        ("email", "a@b.example\nBcc: everybody@b.example"),
        ("name", "  "),
        ("name", "n" * 201),
        ("roles", []),
        ("roles", [Role.OPERATOR_ADMIN]),
        ("password", "short"),
        ("password", "nina@contoso.example"),
        ("language", "xx"),
        ("time_zone", "Mars/Olympus"),
    ],
)
def test_what_does_not_fit_is_said_beside_its_field(world: World, field: str, value: object) -> None:
    with pytest.raises(Invalid) as refused:
        add(world, "alice", **{field: value})
    assert list(refused.value.problems) == [field]


@pytest.mark.parametrize("name", ["bob", "helen", "bill", "audrey", "charlie", "sam"])
def test_d14_only_the_partners_admin_agent_and_an_operator_admin_add_people(world: World, name: str) -> None:
    with pytest.raises(Forbidden):
        add(world, name)
    assert add(world, "olga").partner_id == world.partners["contoso"]


def test_addresses_inside_a_company_are_taken() -> None:
    assert people.normalize_email(" Ivan@Corp.LOCAL ") == "ivan@corp.local"
    assert people.normalize_email("иван@пример.рф").startswith("иван@")


# ---------------------------------------------------------------- roles


def test_changed_roles_are_audited_with_old_and_new_and_end_the_sessions(world: World) -> None:
    with transaction():
        token = start(user(world, "bob"), hours=1, address="", agent="")
    with transaction():
        people.change_roles(user(world, "bob"), [Role.AUDITOR, Role.SALES_AGENT], by=world.actor("alice"))
    entry = audited("change_roles")
    assert (entry.details["old"], entry.details["new"]) == (["sales agent"], ["auditor", "sales agent"])
    assert actor_for(token, idle=HOUR, address="", request_id="") is None
    assert user(world, "bob").roles == {Role.SALES_AGENT, Role.AUDITOR}


def test_unchanged_roles_change_nothing(world: World) -> None:
    rows = session.scalar(select(func.count()).select_from(AuditEntry))
    with transaction():
        people.change_roles(user(world, "bob"), [Role.SALES_AGENT], by=world.actor("alice"))
    assert session.scalar(select(func.count()).select_from(AuditEntry)) == rows


def refused_roles(world: World, name: str, roles: list[Role], by: str) -> str:
    with pytest.raises(Invalid) as refused, transaction():
        people.change_roles(user(world, name), roles, by=world.actor(by))
    return refused.value.problems["roles"]


def test_the_last_admin_agent_stays(world: World) -> None:
    assert "last Admin agent" in refused_roles(world, "alice", [Role.SALES_AGENT], "olga")
    with pytest.raises(Refused, match="last Admin agent"), transaction():
        people.disable_user(user(world, "alice"), by=world.actor("olga"))
    with transaction():
        people.change_roles(user(world, "bob"), [Role.ADMIN_AGENT], by=world.actor("alice"))
    with transaction():
        people.change_roles(user(world, "alice"), [Role.SALES_AGENT], by=world.actor("bob"))
    assert user(world, "alice").roles == {Role.SALES_AGENT}


def test_a_disabled_admin_agent_does_not_count(world: World) -> None:
    with transaction():
        people.change_roles(user(world, "bob"), [Role.ADMIN_AGENT], by=world.actor("alice"))
    with transaction():
        people.disable_user(user(world, "bob"), by=world.actor("alice"))
    assert "last Admin agent" in refused_roles(world, "alice", [Role.AUDITOR], "olga")


def test_the_last_operator_admin_stays(world: World) -> None:
    assert "last Operator admin" in "".join(people_rules.disable_problems(user(world, "olga"), by=None))


def test_nobody_gives_roles_to_oneself(world: World) -> None:
    assert "yourself" in refused_roles(world, "olga", [Role.OPERATOR_ADMIN, Role.ADMIN_AGENT], "olga")


def test_only_an_operator_admin_gives_and_takes_the_operators_roles(world: World) -> None:
    with transaction():
        admin = people.add_user(
            partner(world, "northwind"),
            by=None,
            email="n@northwind.example",
            name="N",
            roles=[Role.ADMIN_AGENT],
            password=PASSWORD,
        )
        world.people["norbert"] = admin.id
    assert "operator" in refused_roles(world, "sam", [Role.SUPPORT_AGENT, Role.OPERATOR_ADMIN], "norbert")
    assert "operator" in refused_roles(world, "sam", [Role.SALES_AGENT], "norbert")
    with transaction():
        people.change_roles(user(world, "sam"), [Role.SUPPORT_AGENT, Role.OPERATOR_ADMIN], by=world.actor("olga"))
    for act in (
        lambda: people.disable_user(user(world, "sam"), by=world.actor("norbert")),
        lambda: people.reset_password(user(world, "sam"), by=world.actor("norbert"), password=PASSWORD),
    ):
        with pytest.raises(Refused, match="operator"), transaction():
            act()


def test_partners_people_never_get_the_operators_roles(world: World) -> None:
    assert "operator" in refused_roles(world, "bob", [Role.SUPPORT_AGENT], "olga")


@pytest.mark.parametrize("by", ["bob", "charlie", "sam"])
def test_others_change_nobody(world: World, by: str) -> None:
    for act in (
        lambda: people.change_roles(user(world, "helen"), [Role.AUDITOR], by=world.actor(by)),
        lambda: people.disable_user(user(world, "helen"), by=world.actor(by)),
        lambda: people.enable_user(user(world, "helen"), by=world.actor(by)),
        lambda: people.reset_password(user(world, "helen"), by=world.actor(by), password=PASSWORD),
    ):
        with pytest.raises(Forbidden), transaction():
            act()


# ---------------------------------------------------------------- disable


def test_a_disabled_person_is_out_at_once_and_in_again_when_enabled(world: World) -> None:
    with transaction():
        token = start(user(world, "bob"), hours=1, address="", agent="")
    with transaction():
        people.disable_user(user(world, "bob"), by=world.actor("alice"))
    assert actor_for(token, idle=HOUR, address="", request_id="") is None
    assert audited("disable_user").details == {"old": "active", "new": "disabled"}
    with transaction():
        people.enable_user(user(world, "bob"), by=world.actor("alice"))
    assert user(world, "bob").is_active
    assert actor_for(token, idle=HOUR, address="", request_id="") is None, "the old session stays dead"


def test_nobody_disables_himself(world: World) -> None:
    assert people_rules.disable_problems(user(world, "alice"), world.actor("alice"))
    with pytest.raises(Refused, match="yourself"), transaction():
        people.disable_user(user(world, "alice"), by=world.actor("alice"))


# ---------------------------------------------------------------- passwords


def with_password(world: World, name: str, password: str = PASSWORD) -> None:
    with transaction():
        user(world, name).password_hash = passwords.hash_password(password)


def test_a_password_is_kept_as_argon2id_of_64_mib(world: World) -> None:
    assert passwords.hash_password(PASSWORD).startswith("$argon2id$v=19$m=65536,")


def test_an_unusable_hash_fits_nothing(world: World, cheap_hashes: None) -> None:
    assert not passwords.fits(None, "")
    assert not passwords.fits("!", "!")
    assert not passwords.fits("$argon2id$nonsense", "x")


@pytest.mark.parametrize(
    ("password", "fine"),
    [
        ("correct horse battery", True),
        ("пароль из нескольких слов", True),
        ("😀😁😂🤣😃😄😅😆😉😊😋😎", True),
        ("elevenchars", False),
        ("aaaaaaaaaaaa", False),
        ("abababababab", False),
        ("Alice Liddell", False),
        ("alice liddell!!", False),
        ("x" * 201, False),
    ],
)
def test_passwords_that_are_taken(password: str, fine: bool) -> None:
    assert (passwords.password_problem(password, about=("Alice Liddell",)) == "") is fine


def test_one_letter_composed_in_two_ways_is_one_password(cheap_hashes: None) -> None:
    assert passwords.fits(passwords.hash_password("caf\u00e9 caf\u00e9"), "cafe\u0301 cafe\u0301")


def test_a_temporary_password_follows_from_the_form_and_the_secret_alone() -> None:
    one = passwords.temporary_password("token", "secret")
    assert one == passwords.temporary_password("token", "secret")
    assert len({one, passwords.temporary_password("other", "secret"), passwords.temporary_password("token", "x")}) == 3
    assert passwords.password_problem(one) == ""


def test_changing_the_password_needs_the_old_one_and_ends_the_other_sessions(world: World, cheap_hashes: None) -> None:
    with_password(world, "bob")
    with transaction():
        here, there = (start(user(world, "bob"), hours=1, address="", agent="") for _browser in range(2))
        user(world, "bob").password_temporary = True
    bob = world.actor("bob")
    for old, new, field in ((("wrong"), "another lamp upon it", "old_password"), (PASSWORD, "short", "new_password")):
        with pytest.raises(Invalid) as refused:
            people.check_new_password(user(world, "bob"), by=bob, old=old, new=new)
        assert list(refused.value.problems) == [field]
    checked = people.check_new_password(user(world, "bob"), by=bob, old=PASSWORD, new="another lamp upon it")
    with transaction():
        people.change_password(user(world, "bob"), checked, by=bob, keep_session=here)
    assert actor_for(here, idle=HOUR, address="", request_id="") is not None
    assert actor_for(there, idle=HOUR, address="", request_id="") is None
    assert passwords.fits(user(world, "bob").password_hash, "another lamp upon it")
    assert not user(world, "bob").password_temporary
    assert audited("change_password").details == {}
    with pytest.raises(Conflict), transaction():
        people.change_password(user(world, "bob"), checked, by=bob)


def test_guessing_the_old_password_is_slowed_down(world: World, cheap_hashes: None) -> None:
    with_password(world, "bob")
    for _attempt in range(throttle.FREE_PER_ACCOUNT):
        with pytest.raises(Invalid):
            people.check_new_password(user(world, "bob"), by=world.actor("bob"), old="wrong", new="another lamp upon")
    with pytest.raises(throttle.TooManyAttempts):
        people.check_new_password(user(world, "bob"), by=world.actor("bob"), old=PASSWORD, new="another lamp upon")


def test_nobody_changes_the_password_or_profile_of_another(world: World) -> None:
    with pytest.raises(Forbidden), transaction():
        people.change_password(user(world, "bob"), people.NewPassword("x", "!"), by=world.actor("alice"))
    with pytest.raises(Forbidden), transaction():
        people.update_profile(
            user(world, "bob"), by=world.actor("alice"), name="B", phone="", language="en", time_zone="UTC"
        )


def test_a_changed_profile_is_audited_field_by_field(world: World) -> None:
    with transaction():
        people.update_profile(
            user(world, "bob"),
            by=world.actor("bob"),
            name="Bob B.",
            phone="",
            language="ru",
            time_zone="Europe/Moscow",
        )
    assert audited("update_profile").details["changes"] == {
        "name": ["Bob", "Bob B."],
        "language": ["en", "ru"],
        "time_zone": ["UTC", "Europe/Moscow"],
    }


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


# ---------------------------------------------------------------- partners


def test_an_operator_admin_adds_and_edits_partners(world: World) -> None:
    with transaction():
        made = people.add_partner(by=world.actor("olga"), name=" Adatum  Resale ", country="FR", token="t" * 20)
    with transaction():
        again = people.add_partner(by=world.actor("olga"), name=" Adatum  Resale ", country="FR", token="t" * 20)
    assert (made.id, made.name, made.is_operator) == (again.id, "Adatum Resale", False)
    with transaction():
        people.edit_partner(
            made, by=world.actor("olga"), name="Adatum", country="FR", support_email="Help@Adatum.example"
        )
    assert made.support_email == "help@adatum.example"
    assert audited("edit_partner").details["changes"]["name"] == ["Adatum Resale", "Adatum"]


@pytest.mark.parametrize(
    ("field", "value"), [("name", ""), ("name", "CONTOSO"), ("country", "XX"), ("support_email", "nonsense")]
)
def test_a_partner_that_does_not_fit(world: World, field: str, value: str) -> None:
    facts = {"name": "Adatum", "country": "FR", "support_email": "", field: value}
    with pytest.raises(Invalid) as refused, transaction():
        people.add_partner(by=world.actor("olga"), **facts)  # type: ignore[arg-type]
    assert list(refused.value.problems) == [field]


@pytest.mark.parametrize("by", ["alice", "sam"])
def test_only_an_operator_admin_keeps_partners(world: World, by: str) -> None:
    with pytest.raises(Forbidden), transaction():
        people.add_partner(by=world.actor(by), name="Adatum", country="FR")
    with pytest.raises(Forbidden), transaction():
        people.edit_partner(partner(world, "contoso"), by=world.actor(by), name="X", country="FR")
