"""Routes are compiled once in a test run, not once in every test's application: that was most of what making one took."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from werkzeug.routing import Rule

_compiled: dict[tuple[str, str, bool], Callable[..., tuple[str, str]]] = {}


class RuleCompiledOnce(Rule):
    """A route whose builder of addresses is taken from the first one with the same path and defaults."""

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        key = (self.rule, repr(self.defaults), append_unknown)
        if key not in _compiled:
            _compiled[key] = super()._compile_builder(append_unknown)
        return _compiled[key]


def pytest_configure(config: pytest.Config) -> None:
    """Have every application of this run made with such routes."""
    del config
    Flask.url_rule_class = RuleCompiledOnce
