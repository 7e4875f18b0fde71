"""Verbs: what the business does, and the only code that writes. No Flask in here.

A verb is named as the business says it, takes its subject first and the actor as ``by=``, checks, writes, records the
audit row and flushes; it never commits (``db.transaction()`` at the edge does) and is idempotent or raises.
"""
