"""Associations: setting one up with its accounts, and how it shares and corrects."""

from typing import Any
from uuid import UUID

from ledger import audit
from ledger.actor import Actor
from ledger.commands import command
from ledger.models import AccountType, Branch, Company
from ledger.money import UnknownCurrency, minor_unit
from ledger.refusals import InvalidInput
from ledger.services.accounts import open_account
from periods import duties, locks
from periods.facts import facts_of
from periods.models import Association
from periods.refusals import NameTaken
from periods.services.consumption_charges import follow_owners
from periods.states import Recalculation, RemainderRule
from treasury.duties import WholeOf
from treasury.locks import lock_company
from treasury.models import TreasuryFund
from treasury.texts import require_text

LONGEST_NAME = 120
# What stands in the company's chart of accounts for every association: field, code, type, name.
OWN_ACCOUNTS = (
    ("cash_account", "1400", AccountType.ASSET, "{name}: cash"),
    ("costs_account", "1450", AccountType.ASSET, "{name}: costs to share"),
    ("clearing_account", "2450", AccountType.LIABILITY, "{name}: expenses to pay"),
    ("equity_account", "3400", AccountType.EQUITY, "{name}: own means"),
)


@command("association.create")
def create_association(
    *,
    actor: Actor,
    company_id: UUID,
    name: str,
    currency: str,
    branch_id: UUID | None = None,
    fund_id: UUID | None = None,
    remainder_rule: str = RemainderRule.LARGEST_REMAINDER,
    recalculation: str = Recalculation.RECALCULATE,
) -> Association:
    """Set up an association with its accounts, in one currency, and return it.

    With a fund its money is the fund's, and what it pays itself goes through treasury. Raises
    ``InvalidInput`` on the field, ``RoleRequired``, ``NameTaken``.
    """
    company = lock_company(company_id)
    branch = _branch(company, branch_id)
    association = Association(
        company=company, branch=branch, region=branch.region if branch else None
    )
    duties.may_keep(actor, association if branch else WholeOf(company.pk))
    association.name = require_text(name, field="name", longest=LONGEST_NAME)
    association.currency = _currency(currency)
    association.fund = _fund(association, fund_id)
    association.remainder_rule = _choice(RemainderRule, remainder_rule, "remainder_rule")
    association.recalculation = _choice(Recalculation, recalculation, "recalculation")
    if Association.objects.filter(company=company, name=association.name).exists():
        raise NameTaken("The company has an association of this name.")
    association.number = Association.objects.filter(company=company).count() + 1
    _open_accounts(association)
    association.save(force_insert=True)
    _record(actor, "association.create", association)
    return association


@command("association.edit")
def edit_association(
    *,
    actor: Actor,
    association_id: UUID,
    name: str | None = None,
    remainder_rule: str | None = None,
    recalculation: str | None = None,
) -> Association:
    """Rename an association, or change how it shares and corrects from now on; what is None stays.

    Periods that are closed keep the rule they were closed under. Raises ``NotFound``, ``RoleRequired``,
    ``InvalidInput``, ``NameTaken``.
    """
    association = locks.lock_association(association_id)
    duties.may_keep(actor, association)
    before = facts_of(association, currency=association.currency)
    if name is not None:
        association.name = require_text(name, field="name", longest=LONGEST_NAME)
    if remainder_rule is not None:
        association.remainder_rule = _choice(RemainderRule, remainder_rule, "remainder_rule")
    if recalculation is not None:
        association.recalculation = _choice(Recalculation, recalculation, "recalculation")
    same = Association.objects.filter(company=association.company_id, name=association.name)
    if same.exclude(pk=association.pk).exists():
        raise NameTaken("The company has an association of this name.")
    association.save(update_fields=["name", "remainder_rule", "recalculation"])
    _record(actor, "association.edit", association, before=before)
    if remainder_rule is not None:
        follow_owners(association, actor)
    return association


def _branch(company: Company, branch_id: UUID | None) -> Branch | None:
    if branch_id is None:
        return None
    rows = Branch.objects.select_related("region").filter(pk=branch_id, region__company=company)
    branch = rows.first()
    if branch is None:
        raise InvalidInput.on("branch", "There is no such branch.")
    return branch


def _currency(currency: str) -> str:
    try:
        minor_unit(currency)
    except UnknownCurrency as error:
        raise UnknownCurrency.on("currency", error.detail) from None
    return currency


def _fund(association: Association, fund_id: UUID | None) -> TreasuryFund | None:
    if fund_id is None:
        return None
    fund = TreasuryFund.objects.filter(pk=fund_id, company=association.company_id).first()
    if fund is None:
        raise InvalidInput.on("fund", "There is no such fund.")
    if fund.currency != association.currency:
        raise InvalidInput.on("fund", f"This fund is in {fund.currency}.")
    if Association.objects.filter(fund=fund).exists():
        raise InvalidInput.on("fund", "This fund is another association's.", code="fund_taken")
    return fund


def _choice(choices: type[RemainderRule | Recalculation], value: str, field: str) -> str:
    if value not in choices.values:
        raise InvalidInput.on(field, f"This is one of {', '.join(choices.values)}.")
    return value


def _open_accounts(association: Association) -> None:
    """Open the association's accounts under its number; a fund brings the one for cash."""
    for field, code, type_, name in OWN_ACCOUNTS:
        if field == "cash_account" and association.fund:
            association.cash_account_id = association.fund.account_id
            continue
        account = open_account(
            company_id=association.company_id,
            code=f"{code}.{association.number:03}",
            name=name.format(name=association.name),
            type=type_,
            currency=association.currency,
        )
        setattr(association, field, account)


def _record(
    actor: Actor, action: str, association: Association, *, before: dict[str, Any] | None = None
) -> None:
    audit.record(
        actor=actor,
        action=action,
        subject=association.reference,
        company_id=association.company_id,
        before=before,
        after=facts_of(association, currency=association.currency),
    )
