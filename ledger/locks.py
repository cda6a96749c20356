"""Row locks of the ledger, in one order.

The order for all of Bursar: idempotency key, company, fund(s) by id, requisition, payment, attempt, code,
variance and replenishment, accounts by id. The SQL functions lock accounts themselves, in that order.
"""

from collections.abc import Iterable
from uuid import UUID

from ledger.models import Account


def lock_accounts(ids: Iterable[UUID]) -> dict[UUID, Account]:
    """Lock the accounts in the order of their ids and return them by id."""
    rows = Account.objects.select_for_update(no_key=True).filter(pk__in=set(ids)).order_by("pk")
    return {account.pk: account for account in rows}
