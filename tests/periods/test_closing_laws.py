"""The laws of closing, attacked with raw SQL: shares add up, sheets stay, a closed period has what it says."""

from datetime import date

import pytest

from periods.models import ServicePeriod
from periods.services.opening_balances import record_opening_balances
from periods.services.reopening import reject_reopening, withdraw_reopening
from tests.periods.estate import Estate, build_estate
from tests.periods.test_laws import refused, run


@pytest.fixture
def estate(db: None) -> Estate:
    return build_estate()


@pytest.fixture
def period(estate: Estate) -> ServicePeriod:
    """A closed period in which something was shared."""
    period = estate.period()
    estate.expense(period, "1000.01", item=estate.item(period))
    return estate.close(period)


COPY_SHEET = """
    INSERT INTO periods_balancesheet (id, association_id, period_id, version, hash, rule, cash_closing,
                                      equity_closing, document, generated_by_id)
    SELECT gen_random_uuid(), association_id, period_id, %s, hash, rule, cash_closing, equity_closing,
           document || %s, generated_by_id
    FROM periods_balancesheet
"""
COPY_LINE = """
    INSERT INTO periods_sheetline (sheet_id, owner_id, opening, contributions, expenses_paid, allocated,
                                   service_charges, closing)
    SELECT id, %s, 0, 0, 0, 0, 0, %s FROM periods_balancesheet
"""
COPY_RUN = """
    INSERT INTO periods_allocationrun (id, association_id, period_id, number, rule, run_by_id,
                                       reversed_at, reversed_by_id)
    SELECT gen_random_uuid(), association_id, period_id, 9, rule, run_by_id, now(), run_by_id
    FROM periods_allocationrun WHERE number = 1
"""
COPY_SHARES = """
    INSERT INTO periods_allocatedexpense (run_id, expense_id, basis_id, amount, shares)
    SELECT run.id, expense_id, basis_id, amount{amount}, {shares}
    FROM periods_allocatedexpense, periods_allocationrun run WHERE run.number = 9
"""


@pytest.mark.parametrize(
    "table",
    ["balancesheet", "sheetline", "allocatedexpense", "allocationbasis"],
)
def test_what_a_close_wrote_never_changes(period: ServicePeriod, table: str) -> None:
    for statement in (f"UPDATE periods_{table} SET id = id", f"DELETE FROM periods_{table}"):
        with refused("permission denied"):
            run(statement)


def test_a_sheet_has_the_hash_of_its_document(period: ServicePeriod) -> None:
    with refused("periods_balancesheet_hash"):
        run(COPY_SHEET, 2, " ")


def test_a_version_is_handed_out_once(period: ServicePeriod) -> None:
    with refused("periods_balancesheet_version"):
        run(COPY_SHEET, 1, "")


def test_a_line_closes_with_what_it_adds_up_to(estate: Estate, period: ServicePeriod) -> None:
    estate.add_unit("Dan")
    with refused("periods_sheetline_closing"):
        run(COPY_LINE, estate.owners["Dan"].pk, "0.01")


def test_a_line_is_of_an_owner_of_the_association(estate: Estate, period: ServicePeriod) -> None:
    other = build_estate(scene=estate.scene, name="Baobab House")
    with refused("periods_sheetline_same"):
        run(COPY_LINE, other.owners["Ann"].pk, "0")


@pytest.mark.parametrize(
    ("amount", "shares"),
    [("", "ARRAY[shares[1] + 0.01, shares[2], shares[3]]"), ("", "shares[1:2]"), ("+ 1", "shares")],
    ids=["a cent more", "an owner less", "another amount"],
)
def test_shares_add_up_to_their_expense(period: ServicePeriod, amount: str, shares: str) -> None:
    run(COPY_RUN)
    with refused("periods_expense_shared"):
        run(COPY_SHARES.format(amount=amount, shares=shares))


def test_an_expense_is_shared_in_its_own_period(estate: Estate, period: ServicePeriod) -> None:
    second = estate.period("Second quarter", date(2026, 4, 1), date(2026, 6, 30))
    estate.expense(second, "5.00", item=estate.item(second))
    with refused("periods_expense_shared"):
        run(
            "INSERT INTO periods_allocatedexpense (run_id, expense_id, amount, shares)"
            " SELECT run.id, expense.id, 5, '{}' FROM periods_allocationrun run,"
            " periods_expense expense WHERE expense.period_id = %s",
            second.pk,
        )


def test_a_period_closes_with_an_allocation_and_the_sheet_of_its_version(
    estate: Estate, period: ServicePeriod
) -> None:
    second = estate.period("Second quarter", date(2026, 4, 1), date(2026, 6, 30))
    with refused("periods_closed_is_allocated"):
        run("UPDATE periods_serviceperiod SET status = 'CLOSED' WHERE id = %s", second.pk)
    with refused("periods_closed_has_sheet"):
        run("UPDATE periods_serviceperiod SET version = 2 WHERE id = %s", period.pk)
    with refused("periods_closed_is_allocated"):
        run("UPDATE periods_serviceperiod SET status = 'OPEN' WHERE id = %s", period.pk)


def test_an_allocation_is_taken_back_once(estate: Estate, period: ServicePeriod) -> None:
    estate.reopen(period)
    with refused("reversed_once"):
        run("UPDATE periods_allocationrun SET reversed_at = now()")


def test_a_reopening_is_confirmed_by_another_person(estate: Estate, period: ServicePeriod) -> None:
    ServicePeriod.objects.filter(pk=period.pk).update(statements_sent_at="2026-04-05T10:00Z")
    assert estate.reopen(period).is_waiting
    with refused("periods_reopenrequest_two_persons"):
        run(
            "UPDATE periods_reopenrequest SET approved_by_id = requested_by_id, reopened_at = now()"
        )
    with refused("periods_reopenrequest_approved"):
        run("UPDATE periods_reopenrequest SET reopened_at = now()")


def test_a_request_to_reopen_that_was_withdrawn_stays_so(
    estate: Estate, period: ServicePeriod
) -> None:
    ServicePeriod.objects.filter(pk=period.pk).update(statements_sent_at="2026-04-05T10:00Z")
    request = estate.reopen(period)
    confirmed = "approved_by_id = (SELECT id FROM ledger_user WHERE id <> requested_by_id LIMIT 1)"
    with refused("periods_reopenrequest_withdrawn"):
        run(
            f"UPDATE periods_reopenrequest SET withdrawn_at = now(), reopened_at = now(), {confirmed}"
        )
    withdraw_reopening(actor=estate.actor("cfo"), period_id=period.pk)
    for change in ("withdrawn_at = NULL", f"reopened_at = now(), {confirmed}"):
        with refused("decided_once"):
            run(f"UPDATE periods_reopenrequest SET {change} WHERE id = %s", request.pk)


def test_a_reopening_is_rejected_by_another_person_for_a_reason_and_once(
    estate: Estate, period: ServicePeriod
) -> None:
    ServicePeriod.objects.filter(pk=period.pk).update(statements_sent_at="2026-04-05T10:00Z")
    request = estate.reopen(period)
    other = "(SELECT id FROM ledger_user WHERE id <> requested_by_id LIMIT 1)"
    says_no = "rejected_at = now(), rejection_reason = 'No'"
    for change in (
        f"{says_no}, rejected_by_id = requested_by_id",
        f"rejected_at = now(), rejected_by_id = {other}",
        says_no,
        f"{says_no}, rejected_by_id = {other}, withdrawn_at = now()",
        f"{says_no}, rejected_by_id = {other}, reopened_at = now(), approved_by_id = {other}",
    ):
        with refused("periods_reopenrequest_rejected"):
            run(f"UPDATE periods_reopenrequest SET {change} WHERE id = %s", request.pk)
    reject_reopening(actor=estate.actor("second_cfo"), period_id=period.pk, reason="No")
    for change in ("rejected_at = NULL", "rejection_reason = 'Why not'"):
        with refused("decided_once"):
            run(f"UPDATE periods_reopenrequest SET {change} WHERE id = %s", request.pk)


def test_what_was_opened_again_at_once_is_never_withdrawn(
    estate: Estate, period: ServicePeriod
) -> None:
    estate.reopen(period)
    with refused("decided_once"):
        run("UPDATE periods_reopenrequest SET withdrawn_at = now()")


def test_what_is_brought_along_adds_up_to_the_cash(estate: Estate) -> None:
    estate.period()
    opening = record_opening_balances(
        actor=estate.actor("cfo"),
        association_id=estate.association.pk,
        cash="10.00",
        balances={estate.owners["Ann"].pk: "4.00"},
    )
    with refused("periods_openingbalances_sum"):
        run(
            "INSERT INTO periods_owneropening (opening_id, association_id, owner_id, amount)"
            " VALUES (%s, %s, %s, 1)",
            opening.pk,
            estate.association.pk,
            estate.owners["Bob"].pk,
        )
