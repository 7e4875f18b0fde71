"""The demo world: three organisations, their people, customers, stock, files and a history of a year and a quarter.

* ``people``     -- organisations and who signs in with which password
* ``catalogue``  -- prices, the stock of keys
* ``installers`` -- files of a few sizes, made up
* ``clientele``  -- customers in many countries
* ``story``      -- what happened, in the order of time
* ``purchases``, ``handovers``, ``requests`` -- orders, links, support requests
* ``crowd``      -- any number of further customers, in bulk
* ``world``      -- puts it together, once

Everything is done by the verbs of the domain, each at its own instant (``db.as_of``), so rows, accounts and the activity
log are as if it had happened. The same seed makes the same ids and passwords; what hangs on the installation's secrets
(link tokens, which key of a pool comes first) differs from one installation to another.
"""

from csp_web.demo.world import DemoWorld, make_or_find

__all__ = ["DemoWorld", "make_or_find"]
