"""The test of the mail server: the last step of the first setup, and useful whenever mails do not arrive."""

from __future__ import annotations

from typing import Any

from flask import render_template, request

from csp_web.blueprints.setup import blueprint
from csp_web.domain.upkeep import mail_test
from csp_web.web.gate import current_actor, needs


@blueprint.route("/admin/outbox/test", methods=["GET", "POST"])
@needs("operator.manage")
def mail() -> Any:
    """Send a mail to oneself, now, and show what the server says."""
    actor = current_actor()
    result = mail_test.send_to(actor) if request.method == "POST" else None
    first = "first" in request.args
    page = render_template("setup/mail.html", server=mail_test.server(), result=result, first=first, step=4)
    return page, 422 if result is not None and result.refusal else 200
