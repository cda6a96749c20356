"""What stands in the queue, and what a kind of it is."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from django.db.models.expressions import Combinable

from ledger.models import User
from ledger.roles import Role
from treasury.risk import Risk

OWN = "You asked for this: somebody else decides."
# Those that can be ticked, to be approved together.
KINDS_FOR_MANY = frozenset({"requisition", "variance", "replenishment"})
BY_AGE = ("created_at", "pk")
Rows = QuerySet[Any]


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that waits: what it is, what it is about, since when, and why it is locked, if it is."""

    kind: str
    row: Any
    risk: Risk
    since: datetime
    amount: Decimal
    currency: str
    title: str
    about: str
    made_by: str
    locked: str = ""
    looks_paid_twice: bool = False
    has_question: bool = False

    @property
    def key(self) -> str:
        """Its name on the page and in its addresses."""
        return f"{self.kind}:{self.row.pk}"

    @property
    def fund(self) -> Any:
        return self.row.payment.fund if self.kind == "variance" else self.row.fund

    @property
    def can_be_many(self) -> bool:
        """Whether it can be ticked, to be approved together with others."""
        return not self.locked and self.kind in KINDS_FOR_MANY


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of thing that waits: how its rows are found, ordered, read and told.

    ``waiting`` are the rows that the person may decide, ``own`` those that are locked for him because they
    are his; of both only keys are read, in their ``order``, which an index has. ``rows`` reads of the few
    that are shown all that ``told`` needs. ``fund`` leads to the fund. For who has none of the roles
    ``for_roles`` anywhere, himself or by delegation, there is nothing of this kind.
    """

    name: str
    label: str
    for_roles: frozenset[Role]
    waiting: Callable[[User], Rows]
    own: Callable[[User], Rows]
    rows: Callable[[], Rows]
    told: Callable[[Any, User], Item]
    risk: Combinable
    order: tuple[str, ...] = BY_AGE
    since: str = "created_at"
    fund: str = "fund"
