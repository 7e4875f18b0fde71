"""Verbs: what the business does, and the only code that writes. No Flask in here.

A verb is named as the business says it, takes its subject first and the actor as ``by=``, checks, writes, records the
audit row and flushes; it never commits (``db.transaction()`` at the edge does) and is idempotent or raises.

Where is what:

* ``access`` -- who acts and what they may: people, roles, passwords, sessions
* ``companies`` -- customers, their countries, their timeline
* ``sales`` -- catalogue, prices, markets, policies; carts and orders
* ``stock`` -- product keys and the vault that alone can read them
* ``delivery`` -- the Software page, download links, transfers, installer files
* ``support`` -- support requests, cancellations, refunds
* ``figures`` -- dashboards and counters
* ``long_work`` -- jobs, exports, what comes round
* ``upkeep`` -- the installation: settings, first setup, backups, invariants

What all of them use lies beside them: ``audit`` (no audit, no act), ``once``, ``outbox``, ``paging``, ``sheets``,
``cells``; so do the few that look across all: ``finder``, ``recently_seen``, ``tour_world``.
"""
