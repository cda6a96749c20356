"""Segregation of duties: nobody acts alone on money. Pure: no ORM.

Each function raises ``SegregationOfDuties`` (403) and may be asked before any input is looked at. The
database says the same once more by CHECKs and triggers (``sql/laws.sql``).
"""

from collections.abc import Collection
from uuid import UUID

from ledger.refusals import SegregationOfDuties


def require_not_requester(*, user_id: UUID | None, requester_id: UUID | None, act: str) -> None:
    """Refuse whoever asked for the money; ``act`` completes "may not …"."""
    if user_id is not None and user_id == requester_id:
        raise SegregationOfDuties(f"Whoever requested this may not {act} it.")


def require_separate_executor(
    *,
    user_id: UUID | None,
    requester_id: UUID,
    approver_ids: Collection[UUID],
    separate_executor: bool,
) -> None:
    """Refuse the requester always, and an approver while the company separates approver and executor."""
    require_not_requester(user_id=user_id, requester_id=requester_id, act="execute")
    if separate_executor and user_id in approver_ids:
        raise SegregationOfDuties("Whoever approved this may not execute it.")


def require_not_executor(*, user_id: UUID | None, executor_id: UUID | None, act: str) -> None:
    """Refuse whoever executed the payment; ``act`` completes "may not …"."""
    if user_id is not None and user_id == executor_id:
        raise SegregationOfDuties(f"Whoever executed this payment may not {act} it.")


def require_second_person(*, user_id: UUID | None, first_id: UUID | None, act: str) -> None:
    """Refuse whoever took the first step; ``act`` completes "may not … as well"."""
    if user_id is not None and user_id == first_id:
        raise SegregationOfDuties(f"A second person is needed: you may not {act} this as well.")


def require_not_recorder(*, user_id: UUID | None, recorder_id: UUID | None, act: str) -> None:
    """Refuse whoever recorded it; nobody did where a fund asked by itself. ``act`` completes "may not …"."""
    if user_id is not None and user_id == recorder_id:
        raise SegregationOfDuties(f"Whoever recorded this may not {act} it.")


def require_apart(*, persons: Collection[UUID], involved: Collection[UUID], act: str) -> None:
    """Refuse a delegate or delegator where the other of the two has taken part: they count as one person."""
    if not set(persons).isdisjoint(involved):
        raise SegregationOfDuties(
            f"You and whoever you act for count as one person: you may not {act} this as well."
        )
