"""The operator's start page: where everything is kept."""

from __future__ import annotations

from flask import current_app, render_template, url_for

from csp_web.blueprints.admin import blueprint
from csp_web.i18n import N_
from csp_web.i18n import gettext as _
from csp_web.web.gate import needs

SECTIONS = (
    ("admin.catalogue", N_("Catalogue"), N_("Products, offers and prices; import of price sheets.")),
    ("admin.keys", N_("Keys"), N_("Stock of keys, lines that wait for one, import.")),
    ("admin.files", N_("Files"), N_("Installer files: version, language, file type/OS.")),
    ("admin.markets", N_("Markets"), N_("Countries to which a kind of product is not sold.")),
    ("admin.policies", N_("Cancellation policies"), N_("Which terms new orders get, and from when.")),
    ("admin.partners", N_("Partners"), N_("Organisations that sell; add, edit.")),
    ("admin.users", N_("People"), N_("People of all organisations, and their roles.")),
    ("admin.backups", N_("Backups"), N_("Make, check and fetch copies of everything.")),
    ("admin.outbox", N_("Mails"), N_("What waits to be sent, and what could not be sent.")),
)


@blueprint.get("/admin")
@needs("operator.manage")
def index() -> str:
    """Links to the sections that this installation has."""
    sections = [
        (url_for(endpoint), _(title), _(text))
        for endpoint, title, text in SECTIONS
        if endpoint in current_app.view_functions
    ]
    return render_template("admin/index.html", sections=sections)
