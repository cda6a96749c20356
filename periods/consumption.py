"""What was consumed in a period, property by property, as costs are shared by it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from uuid import UUID

from periods.metering import COMMON_TOLERANCE_PERCENT
from periods.models import Meter, Reading, ServicePeriod


@dataclass(slots=True)
class Consumption:
    """What the meters of one payment type counted in a period, in their unit.

    ``private`` is by property; ``main`` what the main meter counted, None where there is none; ``missing`` are
    the meters in use that have no reading.
    """

    private: dict[UUID, Fraction] = field(default_factory=dict)
    main: Fraction | None = None
    missing: list[Meter] = field(default_factory=list)

    @property
    def common(self) -> Fraction:
        """What no property's own meter counted; nothing where their sum is beyond the main meter's."""
        return max(Fraction(0), self._rest)

    @property
    def is_doubtful(self) -> bool:
        """Whether the properties' meters counted more than meters may be wrong by (reference 4f)."""
        return -100 * self._rest > COMMON_TOLERANCE_PERCENT * (self.main or 0)

    @property
    def _rest(self) -> Fraction:
        if self.main is None:
            return Fraction(0)
        return self.main - sum(self.private.values(), Fraction(0))

    def weights(self, shares: Mapping[UUID, Fraction]) -> dict[UUID, Fraction]:
        """Return by what each property shares the cost: its own consumption and its part of the common one.

        ``shares`` are the share weights of the properties in scope. A correction that gives back more than
        was consumed counts as nothing consumed.
        """
        whole = sum(shares.values(), Fraction(0))
        common = self.common / whole if whole else Fraction(0)
        return {
            unit: max(Fraction(0), self.private.get(unit, Fraction(0))) + common * share
            for unit, share in shares.items()
        }


def consumption_in(period: ServicePeriod) -> dict[str, Consumption]:
    """Return what was consumed in the period by payment type, written small; two queries."""
    found: defaultdict[str, Consumption] = defaultdict(Consumption)
    meters = Meter.objects.select_related("property").filter(association=period.association_id)
    readings = Reading.objects.filter(period=period, voided_at=None)
    counted = _by_meter(readings.values_list("meter_id", "consumption"))
    for meter in meters:
        kind = found[meter.payment_type.casefold()]
        if meter.pk not in counted:
            if meter.is_used_in(period):
                kind.missing.append(meter)
        elif meter.property_id is None:
            kind.main = (kind.main or Fraction(0)) + counted[meter.pk]
        else:
            before = kind.private.get(meter.property_id, Fraction(0))
            kind.private[meter.property_id] = before + counted[meter.pk]
    return dict(found)


def _by_meter(lines: Iterable[tuple[UUID, object]]) -> dict[UUID, Fraction]:
    counted: defaultdict[UUID, Fraction] = defaultdict(Fraction)
    for meter, consumption in lines:
        counted[meter] += Fraction(str(consumption))
    return counted
