"""What templates say of people: names of roles, names of browsers."""

from __future__ import annotations

import re

from csp_web.blueprints.accounts import blueprint
from csp_web.domain.access.permissions import ROLE_NAMES
from csp_web.i18n import gettext as _
from csp_web.models import Role

# The order matters: Edge and Opera call themselves Chrome too, Chrome calls itself Safari.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("YaBrowser", "Yandex"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
    ("curl", "curl"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone|iPad", "iOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


@blueprint.app_template_global()
def role_name(role: Role) -> str:
    """A role's name in the language in force."""
    return _(ROLE_NAMES[role])


@blueprint.app_template_filter()
def browser(agent: str) -> str:
    """Browser and system in a few words; the beginning of what it called itself where neither is known."""
    found = [
        next((name for pattern, name in table if re.search(pattern, agent)), "") for table in (_BROWSERS, _SYSTEMS)
    ]
    if found[0] and found[1]:
        return _("%(browser)s on %(system)s", browser=found[0], system=found[1])
    return found[0] or found[1] or agent[:40]
