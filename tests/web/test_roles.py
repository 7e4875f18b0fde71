"""Who may do what, on every route with every role (D14, S-1, S-2, S-3). New routes are covered by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from csp_web.db import session
from csp_web.domain.access.permissions import PERMISSIONS, ROLE_NAMES, roles_with
from csp_web.models import AuditEntry, AuditStatus, Role, User
from csp_web.web.gate import PUBLIC, SIGNED_IN
from tests.support.samples import OF_A_PARTNER, OF_NOBODY, OF_ONESELF, Samples, fingerprint, make_samples
from tests.world import PEOPLE, World

ACTS = ("GET", "POST", "PUT", "PATCH", "DELETE")
AGENTS = [name for name, partner, _roles in PEOPLE if partner == "contoso"]
STRANGERS = [name for name, partner, _roles in PEOPLE if partner != "contoso"]
EVERYBODY = AGENTS + STRANGERS

# The table of the specification, cell by cell. y: may, -: may not.
ROLES = (Role.ADMIN_AGENT, Role.SALES_AGENT, Role.HELPDESK_AGENT, Role.BILLING_ADMIN, Role.AUDITOR)
TABLE = {
    "customers.see": "yyyyy",
    "orders.see": "yyyyy",
    "customers.add": "yy---",
    "customers.edit": "yyy--",
    "orders.place": "yy---",
    "software.see": "yyy-y",
    "keys.handle": "y----",
    "subscriptions.cancel": "y----",
    "tickets.open": "yyyy-",
    "tickets.see": "yyyyy",
    "billing.see": "yy-yy",
    "billing.act": "y--y-",
    "users.manage": "y----",
    "audit.see": "y---y",
    "support.work": "-----",
    "operator.manage": "-----",
}
OPERATORS = {Role.SUPPORT_AGENT: {"support.work", "tickets.see"}, Role.OPERATOR_ADMIN: {"operator.manage", "audit.see"}}


@pytest.mark.one_database
@pytest.mark.parametrize(("permission", "role"), [(p, r) for p in TABLE for r in ROLES])
def test_d14_every_cell_of_the_table(permission: str, role: Role) -> None:
    assert (role in PERMISSIONS[permission]) is (TABLE[permission][ROLES.index(role)] == "y")


@pytest.mark.one_database
@pytest.mark.parametrize(("role", "permissions"), OPERATORS.items())
def test_d14_the_operators_people_never_handle_keys(role: Role, permissions: set[str]) -> None:
    assert {name for name, roles in PERMISSIONS.items() if role in roles} == permissions


@pytest.mark.one_database
def test_the_table_has_every_permission() -> None:
    assert TABLE.keys() == PERMISSIONS.keys()


# ---------------------------------------------------------------- walking


@pytest.fixture
def samples(world: World) -> Samples:
    return make_samples(world)


class Walk:
    """Asks every route; what a walk found is a list of sentences, so that one run shows all mistakes."""

    def __init__(self, app: Flask, samples: Samples) -> None:
        self.app, self.samples, self.world = app, samples, samples.world
        self.clients: dict[str, FlaskClient] = {}
        self.wrong: list[str] = []

    def routes(self) -> Iterator[tuple[Rule, str, Any]]:
        """Every rule, each method that it has for people, and its declared permission."""
        for rule in self.app.url_map.iter_rules():
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield rule, method, getattr(self.app.view_functions[rule.endpoint], "_permission", None)

    def address(self, rule: Rule, person: str, other: dict[str, Any] | None = None) -> str:
        with self.app.test_request_context():
            adapter = self.app.create_url_adapter(None) or self.app.url_map.bind("localhost")
            return adapter.build(rule.endpoint, {**self.samples.values(rule, person), **(other or {})})

    def ask(self, person: str, method: str, address: str, *, anew: bool = False, **more: Any) -> TestResponse:
        if anew or person not in self.clients:
            self.clients[person] = self.world.sign_in(self.app, person)
        return self.clients[person].open(address, method=method, **more)

    def may(self, person: str, permission: Any) -> bool:
        if permission == SIGNED_IN:
            return True
        roles = session.get_one(User, self.world.people[person]).roles
        return any(roles & PERMISSIONS[name] for name in permission)

    @property
    def told(self) -> str:
        """All mistakes, one a line."""
        return "\n".join(["", *self.wrong])

    def expect(self, right: bool, rule: Rule, method: str, person: str, answer: TestResponse) -> None:
        if not right:
            self.wrong.append(f"{method} {rule.rule} as {person}: {answer.status_code} {answer.location or ''}")


@pytest.fixture
def walk(app: Flask, samples: Samples) -> Walk:
    return Walk(app, samples)


@pytest.mark.one_database
def test_s2_who_may_not_is_told_which_role_may_and_it_is_audited(walk: Walk) -> None:
    asked = 0
    before = fingerprint()
    for rule, method, permission in walk.routes():
        for person in EVERYBODY:
            if permission == PUBLIC or walk.may(person, permission) or not walk.samples.is_visible(rule, person):
                continue
            answer = walk.ask(person, method, walk.address(rule, person))
            names = [escape(ROLE_NAMES[role]) for role in roles_with(permission[0])]
            told = answer.status_code == 403 and all(name in answer.text for name in names)
            walk.expect(told, rule, method, person, answer)
            asked += 1
    assert not walk.wrong, walk.told
    refused = select(func.count()).select_from(AuditEntry).filter_by(status=AuditStatus.DECLINED, operation="refused")
    assert session.scalar(refused) == asked > 50
    assert fingerprint() == before


@pytest.mark.parametrize("person", STRANGERS)
def test_s1_a_strangers_rows_are_not_found_on_any_route_in_any_method(walk: Walk, person: str) -> None:
    asked = 0
    before = fingerprint()
    for rule, method, permission in walk.routes():
        if permission == PUBLIC or walk.samples.is_visible(rule, person):
            continue
        for each in (method, "HEAD", "OPTIONS"):
            if each in (rule.methods or set()):
                address = walk.address(rule, person)
                answer = walk.ask(person, each, address)
                walk.expect(answer.status_code == 404, rule, each, person, answer)
                asked += 1
    assert not walk.wrong, walk.told
    assert asked > 10
    assert fingerprint() == before


def test_s1_nobody_gets_in_without_signing_in(app: Flask, walk: Walk) -> None:
    stranger, before = app.test_client(), fingerprint()
    for rule, method, permission in walk.routes():
        answer = stranger.open(walk.address(rule, "alice"), method=method)
        if permission == PUBLIC:
            walk.expect(answer.status_code < 500, rule, method, "nobody", answer)
        else:
            sent = answer.status_code == 303 and answer.location.startswith("/sign-in?")
            walk.expect(sent, rule, method, "nobody", answer)
    assert not walk.wrong, walk.told
    assert fingerprint() == before


def test_s2_s3_who_may_see_sees_and_seeing_changes_nothing(walk: Walk) -> None:
    before = fingerprint()
    for rule, method, permission in walk.routes():
        for person in EVERYBODY:
            if method == "GET" and permission != PUBLIC and may_use(walk, rule, permission, person):
                answer = walk.ask(person, method, walk.address(rule, person))
                fine = answer.status_code in {200, 204, 206, 303, 304}
                walk.expect(fine and not to_sign_in(answer), rule, method, person, answer)
    assert not walk.wrong, walk.told
    assert fingerprint() == before


def test_s2_who_may_act_is_not_refused(app: Flask, walk: Walk) -> None:
    """Forms with little in them: they fail on their content (422) or on the state of the row (409), never on the person."""
    app.config["WTF_CSRF_METHODS"] = []
    for rule, method, permission in walk.routes():
        for person in EVERYBODY:
            if method == "POST" and permission != PUBLIC and may_use(walk, rule, permission, person):
                answer = walk.ask(person, method, walk.address(rule, person), anew=True, data=walk.samples.form)
                fine = answer.status_code < 500 and answer.status_code not in {401, 403, 404, 405}
                own_end = rule.endpoint == "accounts.sign_out_everywhere"
                walk.expect(fine and (own_end or not to_sign_in(answer)), rule, method, person, answer)
    assert not walk.wrong, walk.told


@pytest.mark.one_database
def test_s3_no_act_without_the_forms_token(walk: Walk) -> None:
    before = fingerprint()
    for rule, method, permission in walk.routes():
        for person in EVERYBODY:
            if method == "POST" and permission != PUBLIC and may_use(walk, rule, permission, person):
                forged: tuple[dict[str, Any], ...] = (
                    {},
                    {"data": {"csrf_token": "forged"}},
                    {"headers": {"X-CSRFToken": "forged"}},
                )
                for more in forged:
                    answer = walk.ask(person, method, walk.address(rule, person), **more)
                    walk.expect(answer.status_code == 400, rule, method, person, answer)
    assert not walk.wrong, walk.told
    assert fingerprint() == before


def test_other_methods_do_nothing(walk: Walk) -> None:
    for rule in walk.app.url_map.iter_rules():
        for method in set(ACTS) - (rule.methods or set()) - other_methods(walk, rule):
            answer = walk.ask("alice", method, walk.address(rule, "alice"))
            walk.expect(answer.status_code == 405, rule, method, "alice", answer)
    assert not walk.wrong, walk.told


HOSTILE = {
    "int": (0, 2**31, 2**63, 2**200),
    "uuid": ("00000000-0000-0000-0000-000000000000", "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF"),
    "string": ("x", "' OR 1=1 --", "\0", "%", "ю" * 300, "\u202e", "0"),
}


def test_s12_ids_that_nothing_has_are_not_found(walk: Walk) -> None:
    for rule, method, permission in walk.routes():
        people = [name for name in EVERYBODY if permission != PUBLIC and may_use(walk, rule, permission, name)]
        for name in rule.arguments & (OF_A_PARTNER.keys() | OF_ONESELF | {"mail"}):
            for value in HOSTILE.get(kind_of(rule, name), ()):
                for person in people[:1]:
                    address = walk.address(rule, person, {name: value})
                    answer = walk.ask(person, method, address, data=csrf_of(walk, person))
                    walk.expect(answer.status_code == 404, rule, method, f"{person} with {name}={value!r}"[:60], answer)
    assert not walk.wrong, walk.told


def test_every_parameter_of_an_address_is_known_here(walk: Walk) -> None:
    known = OF_A_PARTNER.keys() | OF_NOBODY | OF_ONESELF
    for rule in walk.app.url_map.iter_rules():
        assert rule.arguments <= known, (
            f"{rule.rule}: say in tests/support/samples.py whose {rule.arguments - known} is"
        )


def may_use(walk: Walk, rule: Rule, permission: Any, person: str) -> bool:
    return walk.samples.is_visible(rule, person) and walk.may(person, permission)


def to_sign_in(answer: TestResponse) -> bool:
    return (answer.location or "").startswith("/sign-in")


def other_methods(walk: Walk, rule: Rule) -> set[str]:
    """The methods that other rules of the same address have."""
    return set().union(*(other.methods or () for other in walk.app.url_map.iter_rules() if other.rule == rule.rule))


def kind_of(rule: Rule, name: str) -> str:
    converter = type(rule._converters[name]).__name__
    return {"IntegerConverter": "int", "UUIDConverter": "uuid"}.get(converter, "string")


def csrf_of(walk: Walk, person: str) -> dict[str, str]:
    """The person's token, so that a form is refused for nothing else."""
    if person not in walk.clients:
        walk.clients[person] = walk.world.sign_in(walk.app, person)
    page = walk.clients[person].get("/account").text
    return {"csrf_token": page.partition('name="csrf-token" content="')[2].partition('"')[0]}
