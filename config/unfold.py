"""How the admin looks: names, the demo chip, what stands where in the sidebar."""

from collections.abc import Callable
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse


def environment(request: HttpRequest) -> list[str] | None:
    """The chip beside the title: a demo says that it is one."""
    return ["Demo", "warning"] if settings.BURSAR_DEMO else None


def style(request: HttpRequest) -> str:
    return static("bursar/admin.css")


def script(request: HttpRequest) -> str:
    return static("bursar/live.js")


def icon(request: HttpRequest) -> str:
    return static("bursar/icon.svg")


@cache
def _address(name: str) -> str:
    """Where a page is; it does not move while the process lives, and every page of the admin asks for fifty."""
    return reverse(name)


def _sees(model: str) -> Callable[[HttpRequest], bool]:
    """Whether the person may see the rows of ``app.model`` at all."""

    def permitted(request: HttpRequest) -> bool:
        # The settings read this module before there are any apps.
        from django.apps import apps  # noqa: PLC0415
        from django.contrib import admin  # noqa: PLC0415

        held = admin.site._registry.get(apps.get_model(model))
        return held is not None and held.has_view_permission(request)

    return permitted


def _item(title: str, symbol: str, model: str) -> dict[str, Any]:
    """A list of the admin in the sidebar, for those who may see it."""
    name = f"admin:{model.replace('.', '_')}_changelist"
    return {
        "title": title,
        "icon": symbol,
        "page": name,
        "permission": _sees(model),
        "active": lambda request: request.path.startswith(_address(name)),
    }


def _group(title: str, *items: dict[str, Any], collapsible: bool = True) -> dict[str, Any]:
    return {"title": title, "collapsible": collapsible, "items": list(items)}


HOME = {"title": "What waits", "icon": "inbox", "page": "admin:index"}


def _page(title: str, symbol: str, name: str) -> dict[str, Any]:
    """A page outside the admin, which is never the one that is open here."""
    return {"title": title, "icon": symbol, "page": name, "active": lambda request: False}


APPROVALS = _page("Approvals", "approval", "approvals")
DASHBOARD = _page("Treasury dashboard", "monitoring", "treasury")
DEMO_INBOX = {
    "title": "Demo inbox",
    "icon": "mail",
    "page": "demo-inbox",
    "permission": lambda request: settings.BURSAR_DEMO,
}
SECOND_FACTOR = {
    "title": "Second factor",
    "icon": "shield_person",
    "page": "security",
}
API_DOCS = {"title": "API documentation", "icon": "api", "page": "docs"}

NAVIGATION = [
    _group(
        "Treasury",
        HOME,
        APPROVALS,
        DASHBOARD,
        _item("Funds", "account_balance_wallet", "treasury.treasuryfund"),
        _item("Requisitions", "request_quote", "treasury.requisition"),
        _item("Payments", "payments", "treasury.payment"),
        _item("Batches", "stacks", "treasury.batch"),
        _item("Variances", "difference", "treasury.varianceadjustment"),
        _item("Replenishments", "add_card", "treasury.replenishmentrequest"),
        _item("Fund ledger", "list_alt", "treasury.fundline"),
        _item("Executions", "task_alt", "treasury.paymentexecution"),
        _item("Reconciliations", "fact_check", "treasury.reconciliation"),
        _item("Evidence", "attach_file", "treasury.attachment"),
        _item("Delegations", "supervisor_account", "treasury.delegation"),
        collapsible=False,
    ),
    _group(
        "Service periods",
        _item("Associations", "apartment", "periods.association"),
        _item("Owners", "person", "periods.owner"),
        _item("Properties", "door_front", "periods.property"),
        _item("Periods", "date_range", "periods.serviceperiod"),
        _item("Balance sheets", "balance", "periods.balancesheet"),
        _item("Contributions", "savings", "periods.contribution"),
        _item("Expenses", "receipt", "periods.expense"),
        _item("Charges", "sell", "periods.servicecharge"),
        _item("Budget items", "pie_chart", "periods.budgetitem"),
        _item("Meters", "speed", "periods.meter"),
        _item("Readings", "water_drop", "periods.reading"),
        _item("Instalments", "calendar_month", "periods.instalmentplan"),
        _item("Statements", "description", "periods.statement"),
    ),
    _group(
        "Banks",
        _item("Bank files", "upload_file", "treasury.bankfile"),
        _item("Bank reports", "assignment_returned", "treasury.bankreport"),
        _item("Bank accounts", "account_balance", "payments.bankaccount"),
    ),
    _group(
        "Books",
        _item("Accounts", "account_balance", "ledger.account"),
        _item("Journal", "menu_book", "ledger.journalentry"),
        _item("Ledger entries", "receipt_long", "ledger.ledgerentry"),
        _item("Holds", "lock_clock", "ledger.hold"),
        _item("Audit trail", "history", "ledger.auditevent"),
    ),
    _group(
        "Organisation",
        _item("Companies", "domain", "ledger.company"),
        _item("Regions", "map", "ledger.region"),
        _item("Branches", "store", "ledger.branch"),
        _item("People", "group", "ledger.user"),
        _item("Roles", "badge", "ledger.membership"),
    ),
    _group(
        "Gateways",
        _item("Providers", "hub", "payments.provider"),
        _item("Attempts", "send", "treasury.paymentattempt"),
        _item("Calls", "call_made", "payments.gatewayrequest"),
        _item("Answers", "call_received", "payments.gatewayresponse"),
        _item("Callbacks", "call_merge", "treasury.callback"),
        _item("Incidents", "warning", "treasury.incident"),
    ),
    _group(
        "Settings",
        _item("Approval limits", "rule", "treasury.approvaltier"),
        _item("Code limits", "pin", "treasury.paymentpolicy"),
        _item("Limits of a day", "speed", "treasury.spendinglimit"),
        _item("Payment rules", "event_upcoming", "treasury.paymentrules"),
        _item("Holidays", "event_busy", "treasury.holiday"),
        _item("Webhooks", "webhook", "ledger.webhookendpoint"),
        _item("Webhook messages", "outbox", "ledger.webhookdelivery"),
        _item("Events", "bolt", "ledger.outboxevent"),
        _item("API tokens", "key", "knox.authtoken"),
        SECOND_FACTOR,
        API_DOCS,
        DEMO_INBOX,
    ),
]


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The sidebar, with the address of each page."""
    return [
        {**group, "items": [{**item, "link": _address(item["page"])} for item in group["items"]]}
        for group in NAVIGATION
    ]


# A calm blue; white text on 600 and darker keeps 4.5:1.
PRIMARY = {
    "50": "oklch(97% .014 252)",
    "100": "oklch(93.5% .03 252)",
    "200": "oklch(88% .055 252)",
    "300": "oklch(80% .09 252)",
    "400": "oklch(71% .13 252)",
    "500": "oklch(60% .15 252)",
    "600": "oklch(48% .14 252)",
    "700": "oklch(42% .13 252)",
    "800": "oklch(36% .11 252)",
    "900": "oklch(31% .09 252)",
    "950": "oklch(24% .07 252)",
}

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Bursar",
    "SITE_HEADER": "Bursar",
    "SITE_URL": "/",
    "SITE_ICON": icon,
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": icon}],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": False,
    "ENVIRONMENT": "config.unfold.environment",
    "DASHBOARD_CALLBACK": "config.dashboard.what_waits",
    "STYLES": [style],
    "SCRIPTS": [script],
    "COLORS": {"primary": PRIMARY},
    "SIDEBAR": {"show_search": False, "show_all_applications": False, "navigation": navigation},
}
