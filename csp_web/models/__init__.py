"""Rows and facts about a row. No Flask, no rules that can refuse: those live in ``csp_web.domain``."""

from csp_web.models.accounts import KeptForm, Partner, Role, SignInThrottle, User, UserRole, UserSession
from csp_web.models.audit import AuditEntry, AuditHead, AuditStatus
from csp_web.models.cancellations import Cancellation, CancellationState, CancellationStep, Refund
from csp_web.models.catalogue import (
    CancellationPolicy,
    MarketExclusion,
    MarketSet,
    Offer,
    PriceSheetImport,
    Product,
    ProductFamily,
    ProductType,
    Sku,
    SkuInclusion,
)
from csp_web.models.customers import Customer
from csp_web.models.downloads import DownloadLink, DownloadOption, LinkEvent, LinkMailings, Transfer
from csp_web.models.forms import FormToken
from csp_web.models.jobs import Job, JobState
from csp_web.models.keys import KeyAssignment, KeyPool, KeyShowings, KeyState, KeyWait, ProductKey
from csp_web.models.orders import (
    AccountEntry,
    AccountEntryKind,
    Cart,
    CartLine,
    Entitlement,
    Order,
    Subscription,
    SubscriptionStatus,
)
from csp_web.models.outbox import OutboxMessage, OutboxState
from csp_web.models.scans import Scan
from csp_web.models.tickets import (
    Impact,
    PendingFile,
    ProblemType,
    Ticket,
    TicketFile,
    TicketNote,
    TicketStatus,
    TicketStep,
)
from csp_web.models.uploads import Upload
from csp_web.models.views import SavedView

__all__ = [
    "AccountEntry",
    "AccountEntryKind",
    "AuditEntry",
    "AuditHead",
    "AuditStatus",
    "Cancellation",
    "CancellationPolicy",
    "CancellationState",
    "CancellationStep",
    "Cart",
    "CartLine",
    "Customer",
    "DownloadLink",
    "DownloadOption",
    "Entitlement",
    "FormToken",
    "Impact",
    "Job",
    "JobState",
    "KeptForm",
    "KeyAssignment",
    "KeyPool",
    "KeyShowings",
    "KeyState",
    "KeyWait",
    "LinkEvent",
    "LinkMailings",
    "MarketExclusion",
    "MarketSet",
    "Offer",
    "Order",
    "OutboxMessage",
    "OutboxState",
    "Partner",
    "PendingFile",
    "PriceSheetImport",
    "ProblemType",
    "Product",
    "ProductFamily",
    "ProductKey",
    "ProductType",
    "Refund",
    "Role",
    "SignInThrottle",
    "SavedView",
    "Scan",
    "Sku",
    "SkuInclusion",
    "Subscription",
    "SubscriptionStatus",
    "Ticket",
    "TicketFile",
    "TicketNote",
    "TicketStatus",
    "TicketStep",
    "Transfer",
    "Upload",
    "User",
    "UserRole",
    "UserSession",
]
