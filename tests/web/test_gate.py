"""The gate: order of checks, and a start that refuses an undeclared endpoint (S-2)."""

from __future__ import annotations

import pytest
from flask import Flask

from csp_web.web.gate import check_declared
from tests.world import World


def test_an_endpoint_without_a_permission_stops_the_start(app: Flask) -> None:
    app.view_functions["forgotten"] = lambda: "open to all"
    with pytest.raises(RuntimeError, match="forgotten"):
        check_declared(app)


def test_a_probe_is_open(app: Flask, world: World) -> None:
    assert app.test_client().get("/readyz").status_code == 200
