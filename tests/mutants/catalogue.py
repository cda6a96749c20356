"""Guards of Bursar, each with the tests that notice when it is gone."""

from tests.mutants.later import LATER
from tests.mutants.mutant import Mutant, drop, drop_trigger

CODES = "treasury/services/codes.py"
DISPATCHING = "treasury/services/dispatching.py"
ENQUIRIES = "treasury/services/enquiries.py"
LAWS = "treasury/sql/laws.sql"
LOCKS = "treasury/locks.py"
OTP = "treasury/otp.py"
POSTING = "ledger/sql/posting.sql"
SEGREGATION = "treasury/segregation.py"

T_ACCESS = "tests/ledger/test_access.py::"
T_APPROVALS = "tests/treasury/test_approvals.py::"
T_IDEMPOTENCY = "tests/ledger/test_idempotency.py::"
T_NOBODY = "tests/treasury/test_nobody_pays_himself.py::"
T_ORDER = "tests/ledger/test_laws_order.py::"
T_TRANSFERS = "tests/concurrency/test_ledger_transfers.py::"
T_MISSING_ROWS = "tests/ledger/verification/test_missing_rows.py::"
T_CLOSING_LAWS = "tests/periods/test_closing_laws.py::"
T_CODES = "tests/treasury/test_codes.py::"
T_GATEWAY = "tests/treasury/test_gateway_payments.py::"
T_LAWS = "tests/treasury/test_laws.py::"
T_RAISING = "tests/treasury/test_raising.py::"
T_RACES = "tests/concurrency/test_payments_races.py::"

LOCKS_AND_RACES = (
    Mutant(
        "a requisition is locked while it is decided on",
        LOCKS,
        """    return _the_one(
        rows.select_for_update(of=("fund", "self"), no_key=True).order_by(), "requisition"
    )""",
        """    return _the_one(rows.order_by(), "requisition")""",
        (
            T_RACES + "test_payments_made_at_once_never_exceed_the_requisition",
            T_RACES + "test_of_two_approvers_at_once_one_approves",
        ),
    ),
    Mutant(
        "a variance is locked while it is decided on",
        LOCKS,
        """    order = ("payment__fund", "payment__requisition", "payment", "self")
    return _the_one(rows.select_for_update(of=order, no_key=True).order_by(), "variance")""",
        """    return _the_one(rows.order_by(), "variance")""",
        (T_RACES + "test_a_variance_is_approved_once",),
    ),
    Mutant(
        "a replenishment is locked while it is decided on",
        LOCKS,
        """    return _the_one(
        rows.select_for_update(of=("fund", "self"), no_key=True).order_by(), "replenishment"
    )""",
        """    return _the_one(rows.order_by(), "replenishment")""",
        (T_RACES + "test_a_replenishment_is_funded_once",),
    ),
    Mutant(
        "one worker alone claims an attempt",
        DISPATCHING,
        "PaymentAttempt.objects.filter(due, state=AttemptState.SENDING, call_began_at=None)",
        "PaymentAttempt.objects.filter(due, state=AttemptState.SENDING)",
        (
            "tests/concurrency/test_payments_jobs.py::test_an_attempt_is_claimed_by_one_of_many_workers",
        ),
    ),
    Mutant(
        "a release waits for the account before it takes the hold",
        POSTING,
        "    PERFORM FROM ledger_account WHERE id = wanted.account_id FOR NO KEY UPDATE;\n",
        "",
        (T_TRANSFERS + "test_a_release_waits_for_the_account_before_it_takes_the_hold",),
    ),
    Mutant(
        "of two requests with one key the second waits or is told so",
        "ledger/idempotency.py",
        "    if not free:",
        "    if free is None:",
        (T_IDEMPOTENCY + "test_while_the_first_is_still_running_the_second_is_told_so",),
    ),
)

CODE_GUARDS = (
    *(
        Mutant(
            f"a code is bound to the {what}",
            OTP,
            f"            {before}{line},\n",
            f"            {before}\n".rstrip(" "),
            ("tests/treasury/test_otp.py::test_every_bound_field_changes_the_digest",),
        )
        for what, before, line in (
            ("payment", "", "str(self.payment_id)"),
            ("version", "", "str(self.version)"),
            ("amount", "", "format_amount(self.amount, self.currency)"),
            ("destination", "", "self.destination"),
            ("method", "", "self.method"),
            ("executor", "self.method,\n            ", "str(self.executor_id)"),
        )
    ),
    Mutant(
        "five tries are looked at",
        CODES,
        "AND tries < %s AND verified_at IS NULL",
        "AND tries < 5 + 0 * %s + 2 AND verified_at IS NULL",
        (T_CODES + "test_five_tries_are_looked_at_and_no_more",),
    ),
    Mutant(
        "a verification is used up by the reservation",
        CODES,
        "UPDATE treasury_onetimecode SET consumed_at = ledger_clock()",
        "UPDATE treasury_onetimecode SET consumed_at = NULL",
        (T_CODES + "test_the_reservation_for_a_gateway_uses_the_code_up",),
    ),
    Mutant(
        "a verification is used up by the settlement",
        "treasury/sql/known_answers.sql",
        "UPDATE treasury_onetimecode SET consumed_at = executed_at",
        "UPDATE treasury_onetimecode SET consumed_at = NULL",
        (T_CODES + "test_the_right_code_verifies_and_execution_consumes_it",),
    ),
    Mutant(
        "a right code is compared in the end",
        CODES,
        "        matches\n        and code is not None",
        "        code is not None",
        (T_CODES + "test_wrong_expired_used_and_locked_are_refused_alike",),
    ),
)

DUTIES = (
    Mutant(
        "a requester neither approves nor executes",
        SEGREGATION,
        "user_id is not None and user_id == requester_id",
        "user_id is not None and user_id is requester_id is None",
        (T_NOBODY + "test_a_requester_cannot_execute_his_own_payment_by_a_service",),
    ),
    Mutant(
        "whoever executed does not reconcile",
        SEGREGATION,
        "user_id is not None and user_id == executor_id",
        "user_id is not None and user_id is executor_id is None",
        ("tests/treasury/test_reconciliation.py::test_whoever_executed_it_does_not_reconcile_it",),
    ),
    Mutant(
        "nobody is his own second person",
        SEGREGATION,
        "user_id is not None and user_id == first_id",
        "user_id is not None and user_id is first_id is None",
        ("tests/treasury/test_replenishments.py::test_whoever_approved_it_does_not_fund_it",),
    ),
    Mutant(
        "whoever recorded a variance does not decide on it",
        SEGREGATION,
        "user_id is not None and user_id == recorder_id",
        "user_id is not None and user_id is recorder_id is None",
        ("tests/treasury/test_variances.py::test_whoever_recorded_it_does_not_decide_it",),
    ),
    Mutant(
        "above a tier two people agree",
        "treasury/tiers.py",
        "frozenset(role for role in APPROVING_ROLES if role.value not in given)",
        "frozenset(() if given else APPROVING_ROLES)",
        (T_APPROVALS + "test_above_the_tier_an_approver_and_a_cfo_agree_in_either_order",),
    ),
    Mutant(
        "another company's rows are out of sight",
        "ledger/access.py",
        """    reach = Q(**{"company" if own_company else f"{prefix}company": company})
    if""",
        """    reach = ~Q(pk__in=())
    if""",
        (T_ACCESS + "test_rows_of_a_place_are_seen_from_where_the_membership_reaches",),
    ),
)

TREASURY_LAWS = (
    Mutant(
        "a payment debits what its requisition names",
        "treasury/models/payment.py",
        "return self.requisition.debit_account_id or self.fund.spending_account_id",
        "return self.fund.spending_account_id",
        (
            T_RAISING + "test_cash_debits_what_it_was_raised_with",
            T_RAISING + "test_money_that_comes_back_is_taken_off_the_same_account",
        ),
    ),
    Mutant(
        "TRIGGER: no requisition debits an account of a fund",
        "treasury/sql/debit_account.sql",
        "",
        drop_trigger("treasury_requisition", "debits_no_fund"),
        (T_RAISING + "test_it_debits_no_account_of_a_fund",),
    ),
    Mutant(
        "TRIGGER: a requisition's amount is that of its source",
        "treasury/sql/debit_account.sql",
        "",
        drop_trigger("treasury_requisition", "follows_source"),
        (T_RAISING + "test_what_it_debits_and_is_for_never_changes",),
    ),
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
        "periods/services/reopening.py",
        "first_id=request.requested_by_id",
        "first_id=None",
        ("tests/periods/test_reopening.py::test_once_statements_were_sent_another_cfo_confirms",),
    ),
    Mutant(
        "TRIGGER: shares add up to their expense",
        "periods/sql/closing_laws.sql",
        "",
        drop_trigger("periods_allocatedexpense", "adds_up"),
        (T_CLOSING_LAWS + "test_shares_add_up_to_their_expense",),
    ),
    Mutant(
        "TRIGGER: a closed period has its sheet and its allocation",
        "periods/sql/closing_laws.sql",
        "",
        drop_trigger("periods_serviceperiod", "closed_with_sheet"),
        (T_CLOSING_LAWS + "test_a_period_closes_with_an_allocation_and_the_sheet_of_its_version",),
    ),
    *(
        Mutant(guard, LAWS, "", drop(table, constraint), killers)
        for guard, table, constraint, killers in (
            (
                "CHECK: the requester is not the executor",
                "treasury_payment",
                "treasury_payment_not_by_requester",
                (T_LAWS + "test_a_requester_is_no_executor_by_sql_save_update_or_bulk_update",),
            ),
            (
                "CHECK: the requester is not an approver",
                "treasury_requisitionapproval",
                "treasury_approval_not_by_requester",
                (T_APPROVALS + "test_sql_refuses_a_requester_who_approves_his_own",),
            ),
            (
                "UNIQUE: one person approves a version once",
                "treasury_requisitionapproval",
                "treasury_approval_once",
                (T_APPROVALS + "test_sql_refuses_a_second_approval_by_one_person",),
            ),
            (
                "CHECK: payments never exceed what was approved",
                "treasury_requisition",
                "treasury_requisition_committed",
                (T_LAWS + "test_payments_never_exceed_what_was_approved",),
            ),
            (
                "FOREIGN KEY: a payment copies its requisition truly",
                "treasury_payment",
                "treasury_payment_same_requisition",
                (T_LAWS + "test_a_payment_copies_its_requisition_truly",),
            ),
        )
    ),
    *(
        Mutant(guard, LAWS, "", drop_trigger(table, trigger), killers)
        for guard, table, trigger, killers in (
            (
                "TRIGGER: an approver does not execute",
                "treasury_payment",
                "executes_duly",
                (T_LAWS + "test_an_approver_is_no_executor_while_the_company_separates_them",),
            ),
            (
                "TRIGGER: success and execution come together",
                "treasury_payment",
                "success_is_proved",
                (T_LAWS + "test_success_needs_its_execution_and_an_execution_its_success",),
            ),
            (
                "TRIGGER: what was agreed is fixed when it is sent",
                "treasury_payment",
                "fixed_when_sent",
                (T_LAWS + "test_what_was_agreed_is_fixed_once_it_leaves_pending",),
            ),
            (
                "TRIGGER: nobody else becomes the executor of what was sent",
                "treasury_payment",
                "executor_fixed_when_sent",
                (T_LAWS + "test_the_executor_is_fixed_once_it_leaves_pending",),
            ),
        )
    ),
    Mutant(
        "TRIGGER: executions are append-only",
        "treasury/migrations/0002_laws.py",
        """        *append_only("treasury_paymentexecution"),\n""",
        "",
        (T_LAWS + "test_append_only_tables_take_no_update_delete_or_truncate",),
    ),
    Mutant(
        "TRIGGER: a payment's status moves along its table",
        "treasury/migrations/0002_laws.py",
        """        *guarded_status("treasury_payment", machine="treasury.payment", transitions=states.PAYMENT),\n""",
        "",
        (T_LAWS + "test_statuses_move_only_along_their_table",),
    ),
)

GATEWAY = (
    Mutant(
        "an answer counts in its own conversation only",
        ENQUIRIES,
        "    if _conversation(outcome) != enquiry.conversation:",
        "    if not _conversation(outcome):",
        (T_GATEWAY + "test_an_answer_in_another_conversation_does_not_count",),
    ),
    Mutant(
        "an answer names the amount that was sent",
        ENQUIRIES,
        "outcome.outcome_class is OutcomeClass.SUCCEEDED and outcome.amount != attempt.amount",
        "outcome.outcome_class is OutcomeClass.SUCCEEDED and outcome.amount is None",
        (T_GATEWAY + "test_another_amount_or_reference_goes_before_people",),
    ),
    Mutant(
        "an address is good for one answer",
        "treasury/services/callbacks.py",
        "Enquiry.objects.filter(pk=enquiry.pk, answered_at=None).update(",
        "Enquiry.objects.filter(pk=enquiry.pk).update(",
        (T_GATEWAY + "test_of_two_answers_at_one_address_the_first_counts",),
    ),
    Mutant(
        "a forged callback does not even raise a question",
        "treasury/addresses.py",
        "    return any(hmac.compare_digest(known.encode(), token.encode()) for known in expected)",
        "    return any(len(known) >= len(token) for known in expected)",
        (T_GATEWAY + "test_a_callback_alone_moves_nothing_and_a_forged_one_not_even_a_question",),
    ),
    Mutant(
        "what was accepted is never sent again",
        ENQUIRIES,
        "    if attempt.state != AttemptState.UNKNOWN or not never_accepted:",
        "    if attempt.state != AttemptState.UNKNOWN:",
        (T_GATEWAY + "test_what_was_accepted_is_never_sent_again",),
    ),
    Mutant(
        "nothing goes again to a gateway that would pay it twice",
        ENQUIRIES,
        "    if not attempt.provider.deduplicates:",
        "    if attempt.provider.deduplicates is None:",
        (T_GATEWAY + "test_to_a_gateway_that_would_pay_it_twice_nothing_goes_again",),
    ),
    Mutant(
        "a refusal of the repetition says nothing about the first call",
        DISPATCHING,
        "    return attempt.unknown_since is not None",
        "    return attempt.calls > 100",
        (T_GATEWAY + "test_a_refusal_of_the_repetition_says_nothing_about_the_first_call",),
    ),
    Mutant(
        "what was altered after it was reserved is not sent",
        DISPATCHING,
        "    if not _is_intact(attempt):",
        "    if attempt.pk is None:",
        (T_GATEWAY + "test_what_was_altered_after_it_was_reserved_is_not_sent",),
    ),
    Mutant(
        "a late success blocks the retry",
        "treasury/services/payments.py",
        "    if late_successes.not_returned(Incident.objects.filter(payment=payment)).exists():",
        "    if late_successes.not_returned(Incident.objects.filter(payment=payment)).count() > 1:",
        (T_GATEWAY + "test_a_success_after_the_failure_stands_in_suspense_and_blocks_the_retry",),
    ),
    Mutant(
        "secrets are taken out of the gateway's log",
        "payments/redaction.py",
        "    if known in SECRET_FIELDS:\n        return HIDDEN",
        "    if known in SECRET_FIELDS:\n        return value",
        ("tests/payments/test_gateway_log.py::test_redaction_finds_secrets_by_name_and_by_shape",),
    ),
)

BOOKS = (
    Mutant(
        "CHECK: what is available never falls below the minimum",
        "ledger/sql/account_laws.sql",
        "",
        drop("ledger_account", "ledger_account_minimum"),
        ("tests/ledger/test_laws_accounts.py::test_spending_more_than_the_balance_is_refused",),
    ),
    Mutant(
        "TRIGGER: a journal entry has lines that balance",
        "ledger/sql/journal_laws.sql",
        "",
        drop_trigger("ledger_journalentry", "balanced"),
        ("tests/ledger/test_laws_balance.py::test_the_owner_cannot_insert_an_entry_without_lines",),
    ),
    Mutant(
        "TRIGGER: a line follows the one before it",
        "ledger/sql/journal_laws.sql",
        "",
        drop_trigger("ledger_ledgerentry", "sound_lines"),
        (T_ORDER + "test_the_owner_cannot_insert_an_entry_that_does_not_follow",),
    ),
    Mutant(
        "TRIGGER: nobody sets an account's numbers",
        "ledger/sql/account_laws.sql",
        "",
        drop_trigger("ledger_account", "numbers_follow"),
        ("tests/ledger/test_laws_accounts.py::test_nobody_sets_an_accounts_numbers",),
    ),
    Mutant(
        "a hold ends once",
        POSTING,
        "    IF released <> asked THEN",
        "    IF released > asked THEN",
        ("tests/ledger/posting/test_holds.py::test_a_posting_cannot_end_a_hold_twice",),
    ),
    Mutant(
        "another key is refused",
        "ledger/sql/posting_straight.sql",
        "    PERFORM ledger_require_key(p_inner, p_outer);\n",
        "",
        ("tests/ledger/test_laws_chain.py::test_another_key_is_refused",),
    ),
    Mutant(
        "the published heads are compared",
        "ledger/services/verification.py",
        "len(published.heads), [*faults, *found[-1]])",
        "len(published.heads), faults)",
        (T_MISSING_ROWS + "test_a_missing_tail_cut_with_its_head_is_found_by_the_published_one",),
    ),
    Mutant(
        "a key stands for one request",
        "ledger/idempotency.py",
        "    elif bytes(request_hash) != request.request_hash:",
        "    elif not bytes(request_hash):",
        (T_IDEMPOTENCY + "test_the_key_with_another_body_is_refused",),
    ),
)

MUTANTS = (*LOCKS_AND_RACES, *CODE_GUARDS, *DUTIES, *TREASURY_LAWS, *GATEWAY, *BOOKS, *LATER)
