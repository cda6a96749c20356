"""Funds: opening one with its accounts, and setting when it asks to be filled."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from ledger.actor import Actor
from ledger.commands import command
from ledger.models import Account, AccountType, Branch, Company, Region
from ledger.money import format_amount, minor_unit, parse_amount
from ledger.refusals import InvalidInput
from ledger.services.accounts import open_account
from treasury import duties, locks
from treasury.models import TreasuryFund
from treasury.services.noting import note
from treasury.services.replenishment import request_if_low
from treasury.texts import require_text

Amount = str | int | Decimal
LONGEST_NAME = 120
ZERO = Decimal(0)
# What stands in the company's chart of accounts for every fund: field, code, type, how it is named.
OWN_ACCOUNTS = (
    ("account", "1100", AccountType.ASSET, "{fund}"),
    ("suspense_account", "1900", AccountType.ASSET, "{fund}: in suspense"),
    ("clearing_account", "2900", AccountType.LIABILITY, "{fund}: owed to the gateway"),
    ("funding_account", "3100", AccountType.EQUITY, "{fund}: provided by the organisation"),
    ("spending_account", "5100", AccountType.EXPENSE, "{fund}: spent"),
    ("variance_account", "5900", AccountType.EXPENSE, "{fund}: variances"),
)


@command("fund.open")
def open_fund(
    *,
    actor: Actor,
    company_id: UUID,
    name: str,
    currency: str,
    region_id: UUID | None = None,
    branch_id: UUID | None = None,
    reorder_level: Amount = 0,
    target_level: Amount = 0,
) -> TreasuryFund:
    """Open an empty fund, with a ledger account that never falls below zero and its contra accounts.

    It belongs to the company as a whole, to a region, or to a branch of that region. ``target_level`` is at
    least ``reorder_level``, both in the fund's currency. By a CFO there. Raises ``NotFound`` for the company,
    ``RoleRequired``, ``InvalidInput`` on the field.
    """
    company = locks.lock_company(company_id)
    fund = TreasuryFund(
        company=company, currency=currency, region_id=region_id, branch_id=branch_id
    )
    duties.may_keep_funds(actor, fund)
    fund.name = require_text(name, field="name", longest=LONGEST_NAME)
    _require_place(fund)
    minor_unit(currency)
    _write_levels(fund, reorder_level, target_level)
    if TreasuryFund.objects.filter(company=company, name=fund.name).exists():
        raise InvalidInput.on("name", "The company has a fund of this name.", code="name_taken")
    _open_accounts(fund)
    fund.save(force_insert=True)
    note(actor, "fund.open", fund, fund_facts(fund))
    return TreasuryFund.objects.select_related("account", "company").get(pk=fund.pk)


@command("fund.set_levels")
def set_fund_levels(
    *, actor: Actor, fund_id: UUID, reorder_level: Amount, target_level: Amount
) -> TreasuryFund:
    """Set below what a fund asks to be filled, and up to what; it asks at once if it is below now.

    By a CFO there. Raises ``NotFound``, ``RoleRequired``, ``InvalidInput``.
    """
    fund = locks.lock_fund(fund_id)
    duties.may_keep_funds(actor, fund)
    before = fund_facts(fund)
    _write_levels(fund, reorder_level, target_level)
    fund.save(update_fields=["reorder_level", "target_level"])
    note(actor, "fund.set_levels", fund, fund_facts(fund), before=before)
    request_if_low(fund, actor)
    return fund


def fund_facts(fund: TreasuryFund) -> dict[str, Any]:
    """Return the fund as the audit trail keeps it; its balance is in the books."""
    return {
        "name": fund.name,
        "currency": fund.currency,
        "region": str(fund.region_id) if fund.region_id else None,
        "branch": str(fund.branch_id) if fund.branch_id else None,
        "reorder_level": format_amount(fund.reorder_level, fund.currency),
        "target_level": format_amount(fund.target_level, fund.currency),
    }


def _require_place(fund: TreasuryFund) -> None:
    """Refuse a region of another company and a branch of another region."""
    region, branch = fund.region_id, fund.branch_id
    if region and not Region.objects.filter(pk=region, company=fund.company_id).exists():
        raise InvalidInput.on("region", "There is no such region.")
    if branch and not Branch.objects.filter(pk=branch, region=region).exists():
        raise InvalidInput.on("branch", "There is no such branch.")


def _write_levels(fund: TreasuryFund, reorder_level: Amount, target_level: Amount) -> None:
    fund.reorder_level = _level(reorder_level, fund.currency, "reorder_level")
    fund.target_level = _level(target_level, fund.currency, "target_level")
    if fund.target_level < fund.reorder_level:
        message = "The target level is at least the reorder level."
        raise InvalidInput.on("target_level", message, code="below_reorder_level")


def _level(value: Amount, currency: str, field: str) -> Decimal:
    """Read an amount that may be zero: a fund that never asks."""
    if str(value).strip("0.") == "" and str(value).strip(".") != "":
        return ZERO
    return parse_amount(value, currency, field=field)


def _open_accounts(fund: TreasuryFund) -> None:
    """Open the fund's own accounts under one number, the next one of the company."""
    company: Company = fund.company
    number = TreasuryFund.objects.filter(company=company).count() + 1
    for field, code, type_, name in OWN_ACCOUNTS:
        account: Account = open_account(
            company_id=company.pk,
            code=f"{code}.{number:03}",
            name=name.format(fund=fund.name),
            type=type_,
            currency=fund.currency,
            minimum=ZERO if field == "account" else None,
        )
        setattr(fund, field, account)
