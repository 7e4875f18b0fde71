"""The page that shows developers every part of the interface: there where it is wanted, and nowhere else."""

from __future__ import annotations

import dataclasses

import pytest
from flask import Flask

from csp_web.app import create_app
from csp_web.config import Settings, SettingsError, load
from tests.world import World


def test_no_installation_has_the_style_guide_by_itself(app: Flask, world: World) -> None:
    assert world.sign_in(app, "alice").get("/styleguide").status_code == 404


def test_it_shows_a_form_with_errors_and_a_deadline(settings: Settings, world: World) -> None:
    app = create_app(dataclasses.replace(settings, style_guide=True))
    page = world.sign_in(app, "alice").get("/styleguide")
    assert page.status_code == 200
    for part in (
        "error-summary",
        'aria-invalid="true"',
        "data-countdown",
        'aria-disabled="true"',
        "data-label=",
        'class="empty"',
    ):
        assert part in page.text


def test_strangers_are_sent_to_sign_in(settings: Settings, world: World) -> None:
    app = create_app(dataclasses.replace(settings, style_guide=True))
    assert app.test_client().get("/styleguide").status_code in {302, 303}


@pytest.mark.parametrize(("text", "wanted"), [("1", True), ("0", False), ("", False)])
def test_the_setting_is_yes_or_no(tmp_path: object, text: str, wanted: bool) -> None:
    assert load({"CSP_WEB_DATA_DIR": str(tmp_path), "CSP_WEB_STYLE_GUIDE": text}).style_guide is wanted


def test_a_setting_that_is_neither_stops_the_start(tmp_path: object) -> None:
    with pytest.raises(SettingsError, match="CSP_WEB_STYLE_GUIDE"):
        load({"CSP_WEB_DATA_DIR": str(tmp_path), "CSP_WEB_STYLE_GUIDE": "maybe"})
