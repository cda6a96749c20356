"""In which role, and for whom, a person's approval of a requisition or a batch counts."""

from collections.abc import Collection, Sequence

from ledger.models import User
from ledger.refusals import Conflict
from ledger.roles import Role
from treasury import tiers
from treasury.authority import Authority, apart_from
from treasury.models import BatchApproval, RequisitionApproval


class AlreadyApproved(Conflict):
    """This person, or somebody in the same role, has approved this version."""

    code = "already_approved"
    title = "Already approved"


def authority_of_approval(
    user: User, ways: list[Authority], given: list[RequisitionApproval], needs: str
) -> Authority:
    """Return in which role, and for whom if not for himself, the person's approval counts."""
    if any(approval.approver_id == user.pk for approval in given):
        raise AlreadyApproved("You have approved this version; a second person is needed.")
    missing = tiers.missing_roles(needs, [approval.role for approval in given])
    return authority_to_give(user, ways, given, missing)


def authority_to_give(
    user: User,
    ways: Sequence[Authority],
    given: Sequence[RequisitionApproval | BatchApproval],
    missing: Collection[Role],
) -> Authority:
    """Return the way, apart from all who approved, in which the person gives a role that is missing.

    Raises ``SegregationOfDuties`` where he and somebody who approved are one, ``AlreadyApproved``.
    """
    pairs = [(approval.approver_id, approval.on_behalf_of_id) for approval in given]
    involved = [person for pair in pairs for person in pair if person is not None]
    fit = apart_from(user.pk, ways, involved, act="approve")
    own = tiers.role_to_give([one.role for one in fit if one.delegation is None], missing)
    for one in fit:
        if one.role == own if own else one.role in missing:
            return one
    wanted = " or ".join(str(role.label) for role in sorted(missing))
    raise AlreadyApproved(f"What is missing is the approval of a person who is {wanted}.")
