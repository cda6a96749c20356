"""What a company decides about its payments: approval tiers, and above what a code is needed."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from ledger.actor import Actor
from ledger.commands import command
from ledger.money import format_amount, minor_unit, parse_amount
from ledger.refusals import InvalidInput
from treasury import duties, locks
from treasury.models import ApprovalTier, PaymentPolicy
from treasury.services.noting import note_company
from treasury.tiers import Tier

Amount = str | int | Decimal


@command("policy.set_approval_tiers")
def set_approval_tiers(
    *, actor: Actor, company_id: UUID, currency: str, tiers: Sequence[Tier]
) -> list[ApprovalTier]:
    """Replace the company's approval tiers in a currency; they count for every later approval.

    Each limit is above zero, in the currency, and given once; None stands for any amount. By a CFO of the
    company. Raises ``NotFound``, ``RoleRequired``, ``InvalidInput``.
    """
    company = locks.lock_company(company_id)
    duties.may_keep_funds(actor, company)
    minor_unit(currency)
    wanted = [_read(tier, currency) for tier in tiers]
    if len({tier.up_to for tier in wanted}) < len(wanted):
        raise InvalidInput.on("tiers", "Two tiers have the same limit.")
    present = ApprovalTier.objects.filter(company=company, currency=currency)
    before = [_tier_facts(tier) for tier in present]
    present.delete()
    made = [
        ApprovalTier.objects.create(
            company=company, currency=currency, up_to=tier.up_to, needs=tier.needs
        )
        for tier in wanted
    ]
    after = [_tier_facts(tier) for tier in made]
    _record(actor, "policy.set_approval_tiers", company_id, currency, before, after)
    return made


@command("policy.set_code_threshold")
def set_code_threshold(
    *, actor: Actor, company_id: UUID, currency: str, code_above: Amount
) -> PaymentPolicy:
    """Let payments strictly above ``code_above`` need a code; those made before keep their rule.

    By a CFO of the company. Raises ``NotFound``, ``RoleRequired``, ``InvalidInput`` on ``code_above``.
    """
    company = locks.lock_company(company_id)
    duties.may_keep_funds(actor, company)
    amount = parse_amount(code_above, currency, field="code_above")
    policy = PaymentPolicy.objects.filter(company=company, currency=currency).first()
    before = format_amount(policy.code_above, currency) if policy else None
    policy = policy or PaymentPolicy(company=company, currency=currency)
    policy.code_above = amount
    policy.save()
    after = format_amount(amount, currency)
    _record(actor, "policy.set_code_threshold", company_id, currency, before, after)
    return policy


@command("policy.set_step_up_threshold")
def set_step_up_threshold(
    *, actor: Actor, company_id: UUID, currency: str, step_up_above: Amount | None
) -> PaymentPolicy:
    """Let whoever approves or executes strictly above an amount show his second factor; None: nobody.

    Payments made before keep their rule. By a CFO of the company. Raises ``NotFound``, ``RoleRequired``,
    ``InvalidInput`` on ``step_up_above``.
    """
    company = locks.lock_company(company_id)
    duties.may_keep_funds(actor, company)
    minor_unit(currency)
    amount = None
    if step_up_above is not None:
        amount = parse_amount(step_up_above, currency, field="step_up_above")
    policy, _ = PaymentPolicy.objects.get_or_create(company=company, currency=currency)
    before = policy.step_up_above and format_amount(policy.step_up_above, currency)
    policy.step_up_above = amount
    policy.save(update_fields=["step_up_above"])
    after = amount and format_amount(amount, currency)
    _record(actor, "policy.set_step_up_threshold", company_id, currency, before, after)
    return policy


def _read(tier: Tier, currency: str) -> Tier:
    if tier.needs not in ApprovalTier.Needs.values:
        raise InvalidInput.on("tiers", f"{tier.needs!r} is no rule for approvals.")
    if tier.up_to is None:
        return tier
    return Tier(parse_amount(tier.up_to, currency, field="tiers"), tier.needs)


def _tier_facts(tier: ApprovalTier) -> dict[str, str | None]:
    up_to = None if tier.up_to is None else format_amount(tier.up_to, tier.currency)
    return {"up_to": up_to, "needs": str(tier.needs)}


def _record(
    actor: Actor, action: str, company_id: UUID, currency: str, before: Any, after: Any
) -> None:
    note_company(actor, action, company_id, before={currency: before}, after={currency: after})
