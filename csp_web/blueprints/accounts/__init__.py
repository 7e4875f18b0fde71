"""Routes of people: signing in, one's own account, the partner's users, the switches of language and theme."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("accounts", __name__)

from csp_web.blueprints.accounts import languages, profile, sign_in, themes, users, words  # noqa: E402, F401 -- they use it
