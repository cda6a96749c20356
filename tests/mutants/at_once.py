"""Guards of paying at once, by a look without locks and one statement that locks."""

from tests.mutants.mutant import DATABASE, Mutant, drop

AS_SEEN = "treasury/sql/refused_as_seen.sql"
T_ATTACKED = "tests/treasury/test_paying_at_once_attacked.py::"
T_AT_ONCE = "tests/treasury/test_paying_at_once.py::"

AT_ONCE = (
    Mutant(
        "what changed since the look is decided anew",
        AS_SEEN,
        "    IF found_now IS DISTINCT FROM p_seen OR ledger_clock()",
        "    IF ledger_clock()",
        (
            T_AT_ONCE + "test_what_forbids_it_since_the_look_is_refused_under_the_locks",
            T_AT_ONCE + "test_an_amount_that_was_edited_since_the_look_is_what_is_paid",
        ),
    ),
    Mutant(
        "whoever lost his role since the look does not pay",
        AS_SEEN,
        "told.roles, told.approvers, told.late_successes)::text INTO",
        "ARRAY['treasurer'], told.approvers, told.late_successes)::text INTO",
        (T_AT_ONCE + "test_what_forbids_it_since_the_look_is_refused_under_the_locks",),
    ),
    Mutant(
        "what waited for its locks tells no wrong time",
        AS_SEEN,
        " OR ledger_clock() > p.executed_at + interval '1 second'",
        "",
        (T_AT_ONCE + "test_what_waited_for_its_locks_says_when_it_was_paid",),
    ),
    Mutant(
        "a fund that runs low is asked to be filled with the payment",
        AS_SEEN,
        "    IF settled.available < locked.reorder_level THEN",
        "    IF false THEN",
        (
            T_AT_ONCE
            + "test_a_fund_that_others_emptied_since_the_look_is_asked_to_be_filled_with_the_payment",
        ),
    ),
    Mutant(
        "what was posted before is not taken for the payment",
        AS_SEEN,
        "    IF settled.journal_entry IS DISTINCT FROM p.journal_entry THEN",
        "    IF false THEN",
        (
            T_ATTACKED
            + "test_what_somebody_posted_under_its_reference_is_not_taken_for_its_payment",
        ),
    ),
    Mutant(
        "an answer is kept for what was done alone",
        AS_SEEN,
        "RAISE EXCEPTION 'payment % stands otherwise than it was seen', p.payment\n"
        "            USING ERRCODE = 'check_violation', CONSTRAINT = 'treasury_as_seen';",
        "RETURN NULL;",
        (T_AT_ONCE + "test_under_a_key_the_answer_is_kept_with_the_payment_alone",),
    ),
    Mutant(
        "nothing is paid while another request has the key",
        "ledger/idempotency.py",
        "CASE WHEN pg_try_advisory_xact_lock(%s)",
        "CASE WHEN %s <> 0",
        (T_ATTACKED + "test_while_another_request_has_the_key_nothing_is_paid",),
    ),
    Mutant(
        "UNIQUE: what is paid under a key that was used is undone",
        DATABASE,
        "",
        drop("ledger_idempotencykey", "ledger_idempotency_once"),
        (T_AT_ONCE + "test_whatever_was_done_at_once_under_a_key_that_was_used_is_undone",),
    ),
    Mutant(
        "what is looked at again is locked before",
        AS_SEEN,
        "\n        FOR NO KEY UPDATE OF fund, requisition, payment;",
        ";",
        (
            T_ATTACKED
            + "test_whatever_was_written_while_the_fund_was_waited_for_is_decided_on_anew",
        ),
    ),
)
