"""Guards of service periods."""

from tests.mutants.mutant import DATABASE, Mutant, drop_trigger

T_CLOSING_LAWS = "tests/periods/test_closing_laws.py::"
T_CONSUMPTION = "tests/periods/test_consumption_charges.py::"
T_PAYING = "tests/periods/test_paying.py::"
T_READINGS = "tests/periods/test_readings.py::"
T_REFUND_LAWS = "tests/periods/test_refund_laws.py::"

PERIODS = (
    Mutant(
        "an expense that is paid does not change",
        "periods/services/expenses.py",
        "    withdraw_payment(expense, actor)\n    return recording.void",
        "    return recording.void",
        ("tests/periods/test_paying.py::test_a_void_withdraws_what_was_asked",),
    ),
    Mutant(
        "periods are closed in their order",
        "periods/services/closing.py",
        "    _require_previous_closed(period)\n    before",
        "    before",
        ("tests/periods/test_closing.py::test_periods_are_closed_in_their_order",),
    ),
    Mutant(
        "a balance sheet ties before it is handed out",
        "periods/services/closing.py",
        "    require_tied(period, reckoned.sheet)\n",
        "",
        ("tests/periods/test_closing.py::test_the_books_are_asked_before_a_period_closes",),
    ),
    Mutant(
        "a reopening is confirmed by another person",
        "periods/duties.py",
        "first_id=request.requested_by_id",
        "first_id=None",
        ("tests/periods/test_reopening.py::test_once_statements_were_sent_another_cfo_confirms",),
    ),
    Mutant(
        "TRIGGER: shares add up to their expense",
        DATABASE,
        "",
        drop_trigger("periods_allocatedexpense", "adds_up"),
        (T_CLOSING_LAWS + "test_shares_add_up_to_their_expense",),
    ),
    Mutant(
        "TRIGGER: a closed period has its sheet and its allocation",
        DATABASE,
        "",
        drop_trigger("periods_serviceperiod", "closed_with_sheet"),
        (T_CLOSING_LAWS + "test_a_period_closes_with_an_allocation_and_the_sheet_of_its_version",),
    ),
    Mutant(
        "whoever asked to reopen takes it back, nobody else",
        "periods/duties.py",
        "    if actor.user_id != request.requested_by_id:",
        "    if actor.user_id is None:",
        ("tests/periods/test_reopening.py::test_whoever_asked_to_reopen_takes_it_back",),
    ),
    Mutant(
        "TRIGGER: what was withdrawn stays so",
        "periods/migrations/0011_rejected_reopenings.py",
        'decided_once("reopened_at", "withdrawn_at", "rejected_at")',
        'decided_once("reopened_at", "rejected_at")',
        (T_CLOSING_LAWS + "test_a_request_to_reopen_that_was_withdrawn_stays_so",),
    ),
    Mutant(
        "TRIGGER: refunds never come to more than their expense",
        DATABASE,
        "",
        drop_trigger("periods_expense", "refunds_no_more"),
        (T_REFUND_LAWS + "test_all_refunds_are_never_more_than_their_expense",),
    ),
    Mutant(
        "TRIGGER: an expense never becomes less than was refunded",
        DATABASE,
        "",
        drop_trigger("periods_expense", "refunded_no_more"),
        (T_REFUND_LAWS + "test_an_expense_never_becomes_less_than_was_refunded",),
    ),
    Mutant(
        "two refunds at once meet in the row of their expense",
        "periods/sql/refund_laws.sql",
        """    UPDATE periods_expense SET recorded_by_id = recorded_by_id
        WHERE id = NEW.refund_of_id AND kind = 'expense' AND voided_at IS NULL
        RETURNING * INTO whole;""",
        """    SELECT * INTO whole FROM periods_expense
        WHERE id = NEW.refund_of_id AND kind = 'expense' AND voided_at IS NULL FOR NO KEY UPDATE;""",
        ("tests/concurrency/test_refunds.py::test_of_two_refunds_at_once_one_is_refused",),
    ),
    Mutant(
        "a transfer splits again what was charged",
        "periods/services/properties.py",
        "    follow_owners(association, actor, since=from_on)\n",
        "",
        (T_CONSUMPTION + "test_a_transfer_dated_back_splits_what_was_charged_anew",),
    ),
    Mutant(
        "an expense that treasury was asked for is not asked for again",
        "periods/services/paying.py",
        "    if expense.requisition and expense.requisition.status not in WITHDRAWN:",
        "    if expense.requisition is None and expense.requisition_id:",
        (T_PAYING + "test_it_is_asked_for_once_and_again_after_a_refusal",),
    ),
    Mutant(
        "what an owner has paid is not paid again",
        "periods/services/paying.py",
        "    if expense.paid_by_id is not None:",
        "    if expense.paid_by_id == 0:",
        (T_PAYING + "test_what_is_paid_or_brings_money_in_is_not_paid",),
    ),
    Mutant(
        "an adjustment goes with its correction, not alone",
        "periods/services/charges.py",
        "    if charge.kind != ChargeKind.CHARGE:",
        "    if not charge.kind:",
        ("tests/periods/test_reopening.py::test_an_adjustment_follows_from_its_correction",),
    ),
    Mutant(
        "a reading far above the average is confirmed",
        "periods/services/readings.py",
        "    if metering.needs_confirmation(used, history):",
        "    if not history and metering.needs_confirmation(used, history):",
        (T_READINGS + "test_more_than_three_times_the_average_wants_to_be_confirmed",),
    ),
    Mutant(
        "a day's reading is counted once",
        "periods/services/readings.py",
        "    _require_new(meter, asked.to_on)\n",
        "",
        (T_READINGS + "test_the_same_day_is_not_read_twice",),
    ),
    Mutant(
        "what is brought along is brought once",
        "periods/services/opening_balances.py",
        "    if OpeningBalances.objects.filter(association=association).exists():",
        "    if association.pk is None:",
        ("tests/periods/test_opening_balances.py::test_it_is_recorded_once",),
    ),
)
