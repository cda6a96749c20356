"""temp"""

from ledger.actor import Actor
from treasury.models import ReplenishmentRequest, TreasuryFund
from treasury.states import OPEN_REPLENISHMENTS


def request_if_low(fund: TreasuryFund, actor: Actor) -> ReplenishmentRequest | None:
    if not fund.check_reorder_needed():
        return None
    if ReplenishmentRequest.objects.filter(fund=fund, status__in=OPEN_REPLENISHMENTS).exists():
        return None
    return ReplenishmentRequest.objects.create(
        fund=fund,
        company_id=fund.company_id,
        currency=fund.currency,
        current_balance=fund.current_balance,
        requested_amount=fund.target_level - fund.available_balance,
        auto_triggered=True,
    )


def check_reorder_levels(*, actor: Actor) -> int:
    return 0
