"""R-5: when all connections to the database are in use for too long, people are asked to try again; it is no error of the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy.exc import TimeoutError as NoConnection

from csp_web.domain.access import sessions

if TYPE_CHECKING:
    from flask import Flask

    from tests.world import World


def nothing_free(*_args: object, **_more: object) -> None:
    raise NoConnection("QueuePool limit of size 5 overflow 5 reached")


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_no_free_connection_is_503_with_a_sentence(
    app: Flask, world: World, monkeypatch: pytest.MonkeyPatch, headers: dict[str, str]
) -> None:
    app.testing = False
    browser = world.sign_in(app, "alice")
    monkeypatch.setattr(sessions, "actor_for", nothing_free)
    answer = browser.get("/customers", headers=headers)
    assert answer.status_code == 503
    assert "The database does not answer at the moment. Please try again." in answer.text
    assert answer.headers["Retry-After"] == "2"
