"""Routes of the operator: catalogue, stock, files, markets, policies, partners, people, mails."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("admin", __name__)

from csp_web.blueprints.admin import (  # noqa: E402, F401 -- they use the blueprint
    backups,
    catalogue,
    files,
    files_uploads,
    index,
    keys,
    markets,
    outbox,
    partners,
    policies,
    pools,
    users,
)
