"""What waits for a person in treasury, and how the funds stand."""

from collections.abc import Callable
from typing import Any

from django.db.models import F, QuerySet
from django.urls import reverse

from ledger.access import roles_somewhere
from ledger.admin import cells
from ledger.admin.cells import Link, list_of
from ledger.admin.pages import Panel, Table
from ledger.models import User
from ledger.roles import Role
from treasury.admin.funds import level, level_badge
from treasury.admin.tables import (
    batches_table,
    own_requisitions_table,
    payments_table,
    questions_table,
    replenishments_table,
    requisitions_table,
    variances_table,
)
from treasury.awaiting import (
    batches_awaiting,
    payments_awaiting,
    questions_awaiting,
    replenishments_awaiting,
    requisitions_awaiting,
    variances_awaiting,
)
from treasury.models import Requisition, TreasuryFund
from treasury.selectors import (
    funds_seen_by,
)

SHOWN = 5
FUNDS_SHOWN = 12


def waiting_panels(user: User) -> list[Panel]:
    """The panels of what the person can do next; those with nothing in them are left out."""
    payments = payments_awaiting(user).select_related("requisition", "company", "executor")
    replenishments = replenishments_awaiting(user).select_related("fund", "company", "requested_by")
    requisitions = requisitions_awaiting(user).select_related("company", "requested_by")
    variances = variances_awaiting(user)
    batches = batches_awaiting(user).select_related("company", "fund", "created_by")
    found = (
        _questions(user),
        _panel("Requisitions to approve", requisitions, requisitions_table, status="submitted"),
        _panel(
            "Payments in review", payments.filter(status="review"), payments_table, status="review"
        ),
        _panel(
            "Payments to execute",
            payments.filter(status="pending"),
            payments_table,
            status="pending",
        ),
        _panel(
            "Payments that failed",
            payments.filter(status="failed"),
            payments_table,
            status="failed",
        ),
        _panel(
            "Payments to reconcile",
            payments.filter(status="success"),
            payments_table,
            status="success",
        ),
        _panel(
            "Batches to approve",
            batches.filter(status="submitted"),
            batches_table,
            status="submitted",
        ),
        _panel(
            "Batches to execute",
            batches.filter(status="approved"),
            batches_table,
            status="approved",
        ),
        _panel("Paused batches", batches.filter(status="paused"), batches_table, status="paused"),
        _panel("Variances to decide", variances, variances_table, status="pending"),
        _panel(
            "Replenishments to approve",
            replenishments.filter(status="pending"),
            replenishments_table,
            status="pending",
        ),
        _panel(
            "Replenishments to fund",
            replenishments.filter(status="approved"),
            replenishments_table,
            status="approved",
        ),
    )
    return [panel for panel in found if panel]


def _questions(user: User) -> Panel | None:
    """The questions that wait for his answer, which he gives on their page."""
    rows = questions_awaiting(user).select_related("company", "asked_by")
    many = rows.count()
    if not many:
        return None
    answer = Link("Answer", reverse("approvals-questions"))
    return Panel(
        f"Questions to answer ({many})",
        table=questions_table(rows.reverse()[:SHOWN]),
        links=(answer,),
    )


def _panel(
    title: str, rows: QuerySet[Any], table: Callable[[Any], Table], *, status: str
) -> Panel | None:
    """The oldest rows under a title that says how many there are; None when there are none."""
    many = rows.count()
    if not many:
        return None
    all_rows = Link(f"All {many}", list_of(rows.model, status__exact=status))
    return Panel(f"{title} ({many})", table=table(rows.reverse()[:SHOWN]), links=(all_rows,))


def own_requisitions(user: User) -> Panel | None:
    """What the person asked for last; None for somebody who asks for nothing."""
    rows = Requisition.objects.filter(requested_by=user).select_related("company", "requested_by")
    may_ask = Role.REQUESTER in roles_somewhere(user)
    if not (may_ask or rows.exists()):
        return None
    links = (Link("Ask for money", cells.add_page(Requisition)),) if may_ask else ()
    empty = "You have not asked for money yet."
    return Panel(
        "My requisitions", table=own_requisitions_table(rows[:SHOWN]), links=links, empty=empty
    )


def funds_panel(user: User) -> Panel:
    """The funds within sight, the emptiest first."""
    emptiest = funds_seen_by(user).order_by(
        F("account__balance") - F("account__held") - F("reorder_level"), "name"
    )
    funds = sorted(emptiest[:FUNDS_SHOWN], key=lambda fund: not fund.check_reorder_needed())
    rows = [
        (
            cells.link(fund, fund.name),
            level_badge(fund),
            cells.amount(fund.available_balance, fund.currency),
            level(fund),
        )
        for fund in funds
    ]
    return Panel(
        "Funds",
        table=Table(("Fund", "Level", "Available", "Of target"), rows, frozenset({"Available"})),
        empty="There is no fund yet. A CFO opens the first one.",
        links=(Link("All funds", list_of(TreasuryFund)),),
    )
