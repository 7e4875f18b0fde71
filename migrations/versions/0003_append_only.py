"""The database itself refuses to change or delete what is append-only"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = ("audit_entries", "account_entries", "refunds", "ticket_notes", "ticket_steps", "cancellation_steps")


def upgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    if not sqlite:
        op.execute(
            "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
        )
    for table in TABLES:
        for verb in ("UPDATE", "DELETE"):
            name = f"{table}_no_{verb.lower()}"
            if sqlite:
                body = f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            else:
                body = "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
            op.execute(f"CREATE TRIGGER {name} BEFORE {verb} ON {table} {body}")


def downgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    for table in TABLES:
        for verb in ("update", "delete"):
            op.execute(f"DROP TRIGGER {table}_no_{verb}" + ("" if sqlite else f" ON {table}"))
    if not sqlite:
        op.execute("DROP FUNCTION refuse_change()")
