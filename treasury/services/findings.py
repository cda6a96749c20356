"""Proposing and confirming: what two people must agree on. Plain functions, on locked payments."""

from typing import TypeVar

from ledger.clock import database_now
from ledger.models import User
from treasury import segregation
from treasury.models.finding import TwoPersonFinding

Finding = TypeVar("Finding", bound=TwoPersonFinding)


def propose(finding: Finding, *, earlier: Finding | None, user: User, same: bool) -> None:
    """Write a proposal; one's own earlier one is withdrawn, unless it says the same.

    Raises ``SegregationOfDuties`` for who repeats himself: that makes no second person.
    """
    if earlier is not None:
        if same:
            segregation.require_second_person(
                user_id=user.pk, first_id=earlier.proposed_by_id, act="confirm"
            )
        earlier.withdrawn_at = database_now()
        earlier.save(update_fields=["withdrawn_at"])
    finding.proposed_by = user
    finding.save(force_insert=True)


def confirm(finding: Finding, *, user: User, evidence: str) -> None:
    """Write the second person's agreement."""
    finding.confirmed_by = user
    finding.confirmed_at = database_now()
    finding.confirming_evidence = evidence
    finding.save(update_fields=["confirmed_by", "confirmed_at", "confirming_evidence"])


def by_second_person(finding: TwoPersonFinding | None, user: User) -> bool:
    """Whether there is a proposal of somebody else's to confirm."""
    return finding is not None and finding.proposed_by_id != user.pk
