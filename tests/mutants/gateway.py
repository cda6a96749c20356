"""Guards of what is sent to a gateway and of what it answers."""

from tests.mutants.mutant import Mutant

DISPATCHING = "treasury/services/dispatching.py"
ENQUIRIES = "treasury/services/enquiries.py"

T_ANSWERS = "tests/treasury/test_gateway_answers.py::"
T_GATEWAY = "tests/treasury/test_gateway_payments.py::"

GATEWAY = (
    Mutant(
        "an answer counts in its own conversation only",
        ENQUIRIES,
        "    if _conversation(outcome) != enquiry.conversation:",
        "    if not _conversation(outcome):",
        (T_ANSWERS + "test_an_answer_in_another_conversation_does_not_count",),
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
        (T_ANSWERS + "test_of_two_answers_at_one_address_the_first_counts",),
    ),
    Mutant(
        "a forged callback does not even raise a question",
        "treasury/addresses.py",
        "    return any(hmac.compare_digest(known.encode(), token.encode()) for known in expected)",
        "    return any(len(known) >= len(token) for known in expected)",
        (T_ANSWERS + "test_a_callback_alone_moves_nothing_and_a_forged_one_not_even_a_question",),
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
        (T_ANSWERS + "test_what_was_altered_after_it_was_reserved_is_not_sent",),
    ),
    Mutant(
        "a late success blocks the retry",
        "treasury/services/payments.py",
        "    if late_successes.not_returned(Incident.objects.filter(payment=payment)).exists():",
        "    if late_successes.not_returned(Incident.objects.filter(payment=payment)).count() > 1:",
        (T_ANSWERS + "test_a_success_after_the_failure_stands_in_suspense_and_blocks_the_retry",),
    ),
    Mutant(
        "secrets are taken out of the gateway's log",
        "payments/redaction.py",
        "    if known in SECRET_FIELDS:\n        return HIDDEN",
        "    if known in SECRET_FIELDS:\n        return value",
        ("tests/payments/test_gateway_log.py::test_redaction_finds_secrets_by_name_and_by_shape",),
    ),
)
