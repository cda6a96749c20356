"""Guards of Bursar, each with the tests that notice when it is gone."""

from tests.mutants.at_once import AT_ONCE
from tests.mutants.gateway import GATEWAY
from tests.mutants.later import LATER
from tests.mutants.mutant import DATABASE, Mutant, drop, drop_trigger
from tests.mutants.periods import PERIODS

CODES = "treasury/services/codes.py"
DISPATCHING = "treasury/services/dispatching.py"
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
T_CODES = "tests/treasury/test_codes.py::"
T_LAWS = "tests/treasury/test_laws.py::"
T_RAISED = "tests/treasury/test_raised_payments.py::"
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
        "treasury/sql/by_facts.sql",
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
            T_RAISED + "test_cash_debits_what_it_was_raised_with",
            T_RAISED + "test_money_that_comes_back_is_taken_off_the_same_account",
        ),
    ),
    Mutant(
        "TRIGGER: no requisition debits an account of a fund",
        DATABASE,
        "",
        drop_trigger("treasury_requisition", "debits_no_fund"),
        (T_RAISING + "test_it_debits_no_account_of_a_fund",),
    ),
    Mutant(
        "TRIGGER: a requisition's amount is that of its source",
        DATABASE,
        "",
        drop_trigger("treasury_requisition", "follows_source"),
        (T_RAISING + "test_what_it_debits_and_is_for_never_changes",),
    ),
    *(
        Mutant(guard, DATABASE, "", drop(table, constraint), killers)
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
        Mutant(guard, DATABASE, "", drop_trigger(table, trigger), killers)
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
        )
    ),
    Mutant(
        "TRIGGER: what was agreed is fixed when it is sent",
        DATABASE,
        "",
        drop_trigger("treasury_payment", "fixed_when_sent"),
        (T_LAWS + "test_what_was_agreed_is_fixed_once_it_leaves_pending",),
    ),
    Mutant(
        "TRIGGER: nobody else becomes the executor of what was sent",
        DATABASE,
        "",
        drop_trigger("treasury_payment", "executor_fixed_when_sent"),
        (T_LAWS + "test_the_executor_is_fixed_once_it_leaves_pending",),
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

BOOKS = (
    Mutant(
        "CHECK: what is available never falls below the minimum",
        DATABASE,
        "",
        drop("ledger_account", "ledger_account_minimum"),
        ("tests/ledger/test_laws_accounts.py::test_spending_more_than_the_balance_is_refused",),
    ),
    Mutant(
        "TRIGGER: a journal entry has lines that balance",
        DATABASE,
        "",
        drop_trigger("ledger_journalentry", "balanced"),
        ("tests/ledger/test_laws_balance.py::test_the_owner_cannot_insert_an_entry_without_lines",),
    ),
    Mutant(
        "TRIGGER: a line follows the one before it",
        DATABASE,
        "",
        drop_trigger("ledger_ledgerentry", "sound_lines"),
        (T_ORDER + "test_the_owner_cannot_insert_an_entry_that_does_not_follow",),
    ),
    Mutant(
        "TRIGGER: nobody sets an account's numbers",
        DATABASE,
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
        "ledger/sql/posting_plain.sql",
        "        PERFORM ledger_require_key(p_inner, p_outer);\n",
        "        NULL;\n",
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

MUTANTS = (
    *LOCKS_AND_RACES,
    *CODE_GUARDS,
    *DUTIES,
    *TREASURY_LAWS,
    *GATEWAY,
    *BOOKS,
    *PERIODS,
    *LATER,
    *AT_ONCE,
)
