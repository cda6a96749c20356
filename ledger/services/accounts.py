"""Opening accounts."""

from decimal import Decimal
from uuid import UUID

from ledger.models import Account, AccountType
from ledger.models.organisation import validate_currency


def open_account(
    *,
    company_id: UUID,
    code: str,
    name: str,
    type: AccountType,
    currency: str,
    minimum: Decimal | None = None,
) -> Account:
    """Open an empty account and return it.

    ``minimum`` is the least that balance - held may be, in the account's currency; None sets no limit.
    Raises ``ValidationError`` for an unknown currency, ``IntegrityError`` for a code in use.
    """
    validate_currency(currency)
    return Account.objects.create(
        company_id=company_id,
        code=code,
        name=name,
        type=type,
        normal_side=AccountType(type).normal_side,
        currency=currency,
        minimum=minimum,
    )
