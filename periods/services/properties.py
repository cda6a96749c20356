"""Properties: their weight in sharing costs, and who owns them from when on."""

from datetime import date
from decimal import Decimal
from uuid import UUID

from ledger.actor import Actor
from ledger.commands import command
from ledger.refusals import Conflict, InvalidInput
from periods import duties, locks
from periods.allocation import NegativeWeight
from periods.facts import facts_of
from periods.models import Association, Owner, Ownership, Property, ServicePeriod
from periods.services.consumption_charges import follow_owners
from periods.services.noting import note
from periods.services.opening import FIRST_YEAR, require_year
from periods.states import PeriodStatus
from treasury.texts import require_text

LONGEST_LABEL = 120
LARGEST_WEIGHT = Decimal(10) ** 8
FINEST = Decimal("0.000001")
# Before any period.
ALWAYS = date(FIRST_YEAR, 1, 1)


class LabelTaken(Conflict):
    """A label names one property of an association."""

    code = "label_taken"
    title = "Label taken"


class TransferTooEarly(Conflict):
    """A property passes to another owner after it came to the present one, and not in a closed period."""

    code = "transfer_too_early"
    title = "Transfer too early"


@command("property.add")
def add_property(
    *,
    actor: Actor,
    association_id: UUID,
    owner_id: UUID,
    label: str,
    share_weight: str | int | Decimal = 1,
    active: bool = True,
    owned_from: date | None = None,
) -> Property:
    """Add a property that the owner has from ``owned_from`` on, as long as there are periods if None; return it.

    It takes part in what open periods charge for common consumption already. Raises ``NotFound``,
    ``RoleRequired``, ``InvalidInput`` on the field, ``NegativeWeight``, ``LabelTaken``, ``OwnershipGap`` where
    it would be nobody's on days of such a period.
    """
    association = locks.lock_association(association_id)
    duties.may_keep(actor, association)
    if owned_from is not None:
        require_year("owned_from", owned_from)
    unit = Property(
        association=association,
        number=Property.objects.filter(association=association).count() + 1,
        label=_label(association, label),
        share_weight=read_weight(share_weight),
        active=active,
    )
    owner = _owner(association, owner_id)
    unit.save(force_insert=True)
    Ownership.objects.create(
        association=association, property=unit, owner=owner, from_on=owned_from or ALWAYS
    )
    note(actor, "property.add", unit, association=association)
    follow_owners(association, actor)
    return unit


@command("property.edit")
def edit_property(
    *,
    actor: Actor,
    property_id: UUID,
    label: str | None = None,
    share_weight: str | int | Decimal | None = None,
    active: bool | None = None,
) -> Property:
    """Change a property's label, weight or whether it shares; what is None stays.

    It counts for periods that are closed from now on; closed ones keep the weights they were closed with.
    What open ones charge for common consumption follows. Raises ``NotFound``, ``RoleRequired``,
    ``InvalidInput``, ``NegativeWeight``, ``LabelTaken``, ``NoWeight`` where nobody is left to pay that.
    """
    unit = locks.lock_property(property_id)
    association = unit.association
    duties.may_keep(actor, association)
    before = facts_of(unit, currency=association.currency)
    if label is not None and label.strip() != unit.label:
        unit.label = _label(association, label)
    if share_weight is not None:
        unit.share_weight = read_weight(share_weight)
    if active is not None:
        unit.active = active
    unit.save(update_fields=["label", "share_weight", "active"])
    note(actor, "property.edit", unit, association=association, before=before)
    if share_weight is not None or active is not None:
        follow_owners(association, actor)
    return unit


@command("property.transfer")
def transfer_property(
    *, actor: Actor, property_id: UUID, owner_id: UUID, from_on: date
) -> Property:
    """Let a property be another owner's from a day on; he shares in its costs from that day (reference 4f).

    What open periods charged for consumption already is split anew between the two. Raises ``NotFound``,
    ``RoleRequired``, ``InvalidInput`` on ``owner`` or ``from``, ``TransferTooEarly`` when the day is not after
    the last transfer, or lies in a period that is closed.
    """
    unit = locks.lock_property(property_id)
    association = unit.association
    duties.may_keep(actor, association)
    owner = _owner(association, owner_id, field="owner")
    require_year("from", from_on)
    last = Ownership.objects.get(property=unit, until_on=None)
    if last.owner_id == owner.pk:
        raise InvalidInput.on("owner", "The property is his already.")
    if from_on <= last.from_on:
        raise TransferTooEarly(f"It came to its owner on {last.from_on}.")
    closed = ServicePeriod.objects.filter(association=association, end_date__gte=from_on)
    if closed.exclude(status=PeriodStatus.OPEN).exists():
        raise TransferTooEarly("This day lies in a period that is closed.")
    before = facts_of(last, currency=association.currency)
    last.until_on = from_on
    last.save(update_fields=["until_on"])
    Ownership.objects.create(association=association, property=unit, owner=owner, from_on=from_on)
    note(actor, "property.transfer", unit, association=association, before=before)
    follow_owners(association, actor, since=from_on)
    return unit


def read_weight(value: str | int | Decimal) -> Decimal:
    """Read a share weight: zero or more, at most six decimals. Raises ``NegativeWeight``, ``InvalidInput``."""
    try:
        weight = Decimal(str(value))
    except ArithmeticError:
        raise InvalidInput.on("share_weight", "This is a number such as 12.5.") from None
    if not weight.is_finite() or abs(weight) >= LARGEST_WEIGHT or weight % FINEST:
        raise InvalidInput.on("share_weight", "At most eight digits and six decimals.")
    if weight < 0:
        message = "A share weight is zero or more."
        raise NegativeWeight(message, errors={"share_weight": [message]})
    return weight


def _label(association: Association, label: str) -> str:
    label = require_text(label, field="label", longest=LONGEST_LABEL)
    if Property.objects.filter(association=association, label=label).exists():
        raise LabelTaken("The association has a property of this label.")
    return label


def _owner(association: Association, owner_id: UUID, *, field: str = "owner") -> Owner:
    owner = Owner.objects.filter(pk=owner_id, association=association).first()
    if owner is None:
        raise InvalidInput.on(field, "There is no such owner.")
    return owner
