"""Requisitions that a floor above raises for something of its own, such as an expense.

Plain functions inside that floor's commands, which lock their own rows first and ask who may; what treasury
knows of the matter is its reference. Whether it is paid is read from the requisition, never told upwards.
"""

from uuid import UUID

from django.db import IntegrityError, transaction

from ledger.actor import Actor
from ledger.commands import require_transaction
from treasury import locks
from treasury.models import Requisition, TreasuryFund
from treasury.selectors import requisition_raised_for
from treasury.services.requisition_content import Content
from treasury.services.requisitions import submit_requisition, withdraw

ONE_LIVE = "treasury_requisition_source"


def raise_requisition(
    *,
    actor: Actor,
    fund: TreasuryFund,
    content: Content,
    source: str,
    debit_account_id: UUID | None = None,
) -> Requisition:
    """Ask for money for ``source``, a reference such as ``periods.expense:<uuid>``; return the requisition.

    Raised again while it lives (neither rejected nor cancelled) the first is returned, whatever was asked.
    The actor, who needs no role here, is its requester: he neither approves nor executes. Raises as
    ``submit_requisition`` does.
    """
    require_transaction()
    if not source:
        raise ValueError("What is raised for something says for what.")
    live = requisition_raised_for(company_id=fund.company_id, source=source)
    if live is not None:
        return live
    try:
        with transaction.atomic():
            return submit_requisition(
                actor=actor,
                fund=fund,
                content=content,
                debit_account_id=debit_account_id,
                source=source,
            )
    except IntegrityError as error:
        law = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
        first = requisition_raised_for(company_id=fund.company_id, source=source)
        if law != ONE_LIVE or first is None:
            raise
        return first


def withdraw_raised(*, actor: Actor, company_id: UUID, source: str) -> Requisition | None:
    """Cancel what is raised for ``source``, its pending payments with it; None where nothing is.

    By whoever may change the source, which the caller has asked. Raises ``PaymentStarted`` once a payment
    has left pending, ``IllegalTransition`` once it is paid, ``LateSuccess``.
    """
    require_transaction()
    live = requisition_raised_for(company_id=company_id, source=source)
    if live is None:
        return None
    return withdraw(locks.lock_requisition(live.pk), actor)
