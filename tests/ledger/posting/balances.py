"""What accounts hold by now."""

from decimal import Decimal

from ledger.models import Account


def balances(*accounts: Account) -> list[Decimal]:
    """The balances as they are stored, in the order of the accounts."""
    return [Account.objects.get(pk=account.pk).balance for account in accounts]
