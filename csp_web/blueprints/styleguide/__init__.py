"""For developers: every part of the interface on one page, registered where ``CSP_WEB_STYLE_GUIDE`` is 1 and nowhere else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Blueprint, render_template
from werkzeug.datastructures import MultiDict

from csp_web.db import now
from csp_web.forms.styleguide import SampleForm
from csp_web.web.gate import signed_in

blueprint = Blueprint("styleguide", __name__)

LONG = {
    "company": "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft " * 2 + "& Söhne",
    "guid": "0f8fad5b-d9cb-469f-a165-70867728950e",
    "email": "the.longest.possible.local.part.of.an.address.of.sixty.four.chars@a-very-long-subdomain.of.adatum.example",
}


@blueprint.get("/styleguide")
@signed_in
def page() -> Any:
    """Every part in every state: with errors, refused, empty, too long, at its deadline."""
    form = SampleForm(MultiDict({"email": "nobody", "quantity": "many", "note": "x"}))
    form.validate()
    return render_template("styleguide.html", form=form, deadline=now() + timedelta(days=3, hours=5), long=LONG)
