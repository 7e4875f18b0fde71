"""Organisations, the people in them, their roles and their sessions."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Integer, LargeBinary, String, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from csp_web.db import Base, now


class Role(enum.StrEnum):
    """What a person may be; one person may be several (D14). The first five are the partner's, the last two the operator's."""

    ADMIN_AGENT = "admin agent"
    SALES_AGENT = "sales agent"
    HELPDESK_AGENT = "helpdesk agent"
    BILLING_ADMIN = "billing admin"
    AUDITOR = "auditor"
    SUPPORT_AGENT = "support agent"
    OPERATOR_ADMIN = "operator admin"

    @property
    def of_operator(self) -> bool:
        """Whether only people of the operator's organisation can have it."""
        return self in {Role.SUPPORT_AGENT, Role.OPERATOR_ADMIN}


class Partner(Base):
    """A reseller organisation: the tenant. The operator's organisation is one too, and may sell as well."""

    __tablename__ = "partners"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    country: Mapped[str] = mapped_column(String(2))
    is_operator: Mapped[bool] = mapped_column(default=False)
    support_email: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=now)

    users: Mapped[list[User]] = relationship(back_populates="partner")


class User(Base):
    """A person of a partner or of the operator who signs in."""

    __tablename__ = "users"
    __table_args__ = (UniqueConstraint("partner_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    partner_id: Mapped[int] = mapped_column(ForeignKey("partners.id"))
    email: Mapped[str] = mapped_column(unique=True)  # normalised, lower case
    name: Mapped[str]
    phone: Mapped[str] = mapped_column(default="")
    password_hash: Mapped[str]
    password_temporary: Mapped[bool] = mapped_column(
        default=False, server_default=false()
    )  # given by somebody else: opens only the page to change it
    language: Mapped[str] = mapped_column(String(8), default="en")
    time_zone: Mapped[str] = mapped_column(default="UTC")
    created_at: Mapped[datetime] = mapped_column(default=now)
    disabled_at: Mapped[datetime | None]
    disabled_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))

    partner: Mapped[Partner] = relationship(back_populates="users")
    role_rows: Mapped[list[UserRole]] = relationship(
        back_populates="user", foreign_keys="UserRole.user_id", cascade="all, delete-orphan", lazy="selectin"
    )

    @property
    def roles(self) -> frozenset[Role]:
        """The roles that the person holds."""
        return frozenset(row.role for row in self.role_rows)

    @property
    def is_active(self) -> bool:
        """Whether the person may sign in."""
        return self.disabled_at is None


class UserRole(Base):
    """One role of one person, with who gave it and when."""

    __tablename__ = "user_roles"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    role: Mapped[Role] = mapped_column(primary_key=True)
    granted_at: Mapped[datetime] = mapped_column(default=now)
    granted_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))

    user: Mapped[User] = relationship(back_populates="role_rows", foreign_keys=[user_id])


class UserSession(Base):
    """A signed-in browser. The cookie holds a random token; only its SHA-256 is kept, so a stolen database signs nobody in."""

    __tablename__ = "user_sessions"
    __table_args__ = (Index(None, "user_id", "revoked_at"),)

    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(default=now)
    last_seen_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None] = mapped_column(default=now)  # when the password was typed last
    address: Mapped[str] = mapped_column(default="")
    agent: Mapped[str] = mapped_column(default="")
    revoked_at: Mapped[datetime | None]

    user: Mapped[User] = relationship()

    @property
    def public_id(self) -> str:
        """What a page may say of a session: half of the hash, from which nothing follows."""
        return self.token_hash[:16].hex()


class KeptForm(Base):
    """What a person had typed when the session ended: shown again after signing in, to the same person only."""

    __tablename__ = "kept_forms"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    path: Mapped[str]
    content: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(default=now)


class SignInThrottle(Base):
    """How often signing in failed for one account or from one address, and until when it is refused (S-5)."""

    __tablename__ = "sign_in_throttles"

    subject: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)  # SHA-256: what was typed is not kept
    failures: Mapped[int] = mapped_column(Integer, default=0)
    last_failed_at: Mapped[datetime] = mapped_column(default=now)
    refused_until: Mapped[datetime | None]
