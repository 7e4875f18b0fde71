"""Indexes that dashboards and timelines read alone, and whose timeline a mail belongs to"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# Mails about a support request end their subject with its number in brackets; only those to the partner's contact count.
_OWNERS = """
UPDATE outbox_messages SET customer_id = (
  SELECT tickets.customer_id FROM tickets
  WHERE tickets.number = substr(outbox_messages.subject, length(outbox_messages.subject) - 15, 15)
    AND tickets.partner_id = outbox_messages.partner_id
    AND tickets.contact_email = outbox_messages.recipient
)
WHERE length(subject) > 16
"""


def upgrade() -> None:
    op.create_index(op.f("ix_orders_partner_id_placed_at"), "orders", ["partner_id", "placed_at"])
    sold = ["partner_id", "ordered_at", "currency", "total", "product_id", "quantity"]
    op.create_index("ix_subscriptions_sales", "subscriptions", sold)
    _partial("ix_subscriptions_cancelled", "subscriptions", ["partner_id", "cancel_until"], "status = 'cancelled'")
    _partial("ix_account_entries_refunds", "account_entries", ["partner_id", "at"], "kind = 'refund'")
    op.drop_index(op.f("ix_audit_entries_customer_id_seq"), table_name="audit_entries")
    told = ["customer_id", "at", "seq", "operation", "status"]
    op.create_index("ix_audit_entries_timeline", "audit_entries", told)
    op.create_index(op.f("ix_audit_entries_partner_id_status_at"), "audit_entries", ["partner_id", "status", "at"])
    op.create_index(
        op.f("ix_tickets_partner_id_status_updated_at_id"), "tickets", ["partner_id", "status", "updated_at", "id"]
    )
    op.drop_index("ix_tickets_unsettled", table_name="tickets")
    clock = ["first_answer_due_at", "status", "impact", "first_answered_at"]
    _partial("ix_tickets_unsettled", "tickets", clock, "status <> 'closed'")
    op.create_index(
        op.f("ix_tickets_first_answered_at_first_answer_due_at"),
        "tickets",
        ["first_answered_at", "first_answer_due_at"],
    )
    op.add_column("outbox_messages", sa.Column("customer_id", ID, nullable=True))
    op.create_index(
        op.f("ix_outbox_messages_customer_id_created_at_id"), "outbox_messages", ["customer_id", "created_at", "id"]
    )
    op.execute(_OWNERS)


def downgrade() -> None:
    op.drop_index(op.f("ix_outbox_messages_customer_id_created_at_id"), table_name="outbox_messages")
    op.drop_column("outbox_messages", "customer_id")
    op.drop_index(op.f("ix_tickets_first_answered_at_first_answer_due_at"), table_name="tickets")
    op.drop_index("ix_tickets_unsettled", table_name="tickets")
    _partial("ix_tickets_unsettled", "tickets", ["first_answer_due_at"], "status <> 'closed'")
    op.drop_index(op.f("ix_tickets_partner_id_status_updated_at_id"), table_name="tickets")
    op.drop_index(op.f("ix_audit_entries_partner_id_status_at"), table_name="audit_entries")
    op.drop_index("ix_audit_entries_timeline", table_name="audit_entries")
    op.create_index(op.f("ix_audit_entries_customer_id_seq"), "audit_entries", ["customer_id", "seq"])
    op.drop_index("ix_account_entries_refunds", table_name="account_entries")
    op.drop_index("ix_subscriptions_cancelled", table_name="subscriptions")
    op.drop_index("ix_subscriptions_sales", table_name="subscriptions")
    op.drop_index(op.f("ix_orders_partner_id_placed_at"), table_name="orders")


def _partial(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
