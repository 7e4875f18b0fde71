"""People: who may be given which role, who may be kept out, and passwords (D14, S-5)."""

from __future__ import annotations

import secrets

import pytest
from sqlalchemy import func, select

from csp_web.db import session, transaction
from csp_web.domain.access import passwords, people, people_rules, throttle
from csp_web.domain.access.sessions import actor_for, start
from csp_web.errors import Conflict, Forbidden, Invalid, Refused
from csp_web.models import AuditEntry, Role
from tests.support.people import HOUR, PASSWORD, add, audited, partner, user, with_password
from tests.world import World

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
