"""Who may do what in periods (contract, Roles).

Each function raises ``RoleRequired`` or ``SegregationOfDuties`` (403) and looks at no input and no state.
"""

from ledger.access import Place, require_role
from ledger.actor import Actor
from ledger.models import User
from ledger.refusals import RoleRequired
from ledger.roles import Role
from periods.models import Association, Expense, ReopenRequest
from treasury.segregation import require_second_person

RECORDERS = (Role.TREASURER, Role.RECONCILER)
KEEPERS = (*RECORDERS, Role.CFO)


def may_keep(actor: Actor, place: Place) -> None:
    """A treasurer, reconciler or CFO sets up associations, owners, properties, meters and periods."""
    require_role(actor, *KEEPERS, place=place)


def may_record(actor: Actor, association: Association) -> None:
    """A treasurer or a reconciler records what belongs to a period."""
    require_role(actor, *RECORDERS, place=association)


def may_have_paid(actor: Actor, expense: Expense) -> None:
    """Whoever recorded an expense asks treasury to pay it, or a requester does."""
    roles = (*RECORDERS, Role.REQUESTER) if _recorded(actor, expense) else (Role.REQUESTER,)
    require_role(actor, *roles, place=expense.association)


def _recorded(actor: Actor, expense: Expense) -> bool:
    return actor.user_id is not None and actor.user_id == expense.recorded_by_id


def may_close(actor: Actor, association: Association) -> None:
    """A CFO closes and reopens periods."""
    require_role(actor, Role.CFO, place=association)


def may_withdraw_reopening(actor: Actor, request: ReopenRequest) -> None:
    """Whoever asked to reopen a period takes it back; nobody else does."""
    may_close(actor, request.association)
    if actor.user_id != request.requested_by_id:
        raise RoleRequired("Whoever asked for it takes it back.")


def may_decide_reopening(actor: Actor, request: ReopenRequest, *, act: str) -> None:
    """Another CFO than whoever asked to reopen a period confirms it, or rejects it."""
    may_close(actor, request.association)
    require_second_person(user_id=actor.user_id, first_id=request.requested_by_id, act=act)


def person(actor: Actor) -> User:
    """Return who acts; what is recorded in the books of an association is recorded by people."""
    if actor.user is None:
        raise RoleRequired("This is done by a person.")
    return actor.user
