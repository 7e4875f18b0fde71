"""csp-web: a self-hosted portal for people who sell software subscriptions.

How the package is laid out, from the ground up (nothing points back up):

* ``db``, ``i18n``, ``errors``, ``config``, ``money``, ``identifiers`` -- the ground
* ``models`` -- rows and facts about a row
* ``services`` -- the outside world (files, mail) behind small interfaces
* ``domain`` -- verbs: what the business does, and the only writers
* ``forms`` -- the shape of input
* ``web`` -- edge tools: gate, filters, errors, headers
* ``blueprints`` -- routes
* ``app`` -- puts the above together; ``cli`` -- the ``csp-web`` command; ``serving`` -- the server
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from csp_web.app import create_app

__all__ = ["__version__", "create_app"]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Load the application factory only when asked: the command line starts faster without it."""
    if name == "create_app":
        from csp_web.app import create_app

        return create_app
    raise AttributeError(name)
