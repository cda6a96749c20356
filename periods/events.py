"""The kinds of event that periods tells about."""

KINDS = frozenset(
    {
        "period.opened",
        "period.closed",
        "period.reopened",
        "period.recalculated",
        "contribution.recorded",
        "contribution.edited",
        "contribution.voided",
        "expense.recorded",
        "expense.edited",
        "expense.voided",
        "charge.recorded",
        "charge.edited",
        "charge.voided",
    }
)
