"""Tie-outs: no period closes while two figures that must be the same are not."""

from ledger.refusals import Conflict
from periods.models import ServicePeriod
from periods.sheet import TITLES, Sheet, Tie
from periods.units import from_units


class SheetDoesNotTie(Conflict):
    """Two figures of the balance sheet that must be the same are not."""

    code = "sheet_does_not_tie"
    title = "Balance sheet does not tie"


def require_tied(period: ServicePeriod, sheet: Sheet[int]) -> None:
    """Raise ``SheetDoesNotTie`` naming the tie-outs that do not hold."""
    broken = [tie for tie in sheet.ties if not tie.holds]
    if broken:
        said = [_said(tie, period.association.currency) for tie in broken]
        message = f"{period.name} does not tie ({', '.join(tie.name for tie in broken)})."
        raise SheetDoesNotTie(f"{message} {said[0]}", errors={"ties": said})


def _said(tie: Tie, currency: str) -> str:
    left, right = from_units(tie.left, currency), from_units(tie.right, currency)
    about = f" ({tie.about})" if tie.about else ""
    return f"{tie.name}, {TITLES[tie.name]}: {left} is not {right}{about}."
