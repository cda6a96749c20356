"""Guards of what goes out without a person just then: retries, batches, and what a second factor showed."""

from tests.mutants.mutant import DATABASE, Mutant, drop_trigger

RETRIES = "treasury/services/retries.py"
T_FACTOR = "tests/ledger/test_second_factor.py::"
T_RETRIES = "tests/treasury/test_retries.py::"
T_DELEGATIONS = "tests/treasury/test_batch_delegations.py::"

LATER = (
    Mutant(
        "a provider that does not answer is tried by probes alone",
        RETRIES,
        "    if breaker.open_providers().filter(pk=refused.provider_id).exists():",
        "    if not refused.provider_id:",
        (T_RETRIES + "test_what_stands_in_the_way_puts_it_off_and_changes_nothing_else",),
    ),
    Mutant(
        "a retry is claimed by one pass",
        RETRIES,
        '    return claimed.update(retry_at=again, tries=F("tries") + 1) == 1',
        "    return True",
        (T_RETRIES + "test_what_stands_in_the_way_puts_it_off_and_changes_nothing_else",),
    ),
    Mutant(
        "TRIGGER: what is tried again goes out in the same name",
        DATABASE,
        "",
        drop_trigger("treasury_paymentattempt", "repeats_in_the_same_name"),
        (T_RETRIES + "test_the_database_lets_no_retry_be_planned_or_made_that_must_not_be",),
    ),
    Mutant(
        "TRIGGER: only a refusal that may pass is tried again",
        DATABASE,
        "",
        drop_trigger("treasury_payment", "retries_what_passes"),
        (T_RETRIES + "test_the_database_lets_no_retry_be_planned_or_made_that_must_not_be",),
    ),
    Mutant(
        "TRIGGER: a person and his delegate do not both approve a batch",
        DATABASE,
        "",
        drop_trigger("treasury_batchapproval", "by_two_persons"),
        (T_DELEGATIONS + "test_the_database_asks_for_the_delegation_and_for_two_persons",),
    ),
    Mutant(
        "what a second factor showed ends with it",
        "ledger/services/second_factor.py",
        ', enrolment__in=apps.values("pk")',
        "",
        (T_FACTOR + "test_what_was_shown_ends_when_the_app_is_taken_away",),
    ),
)
