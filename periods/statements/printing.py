"""Statements as files: the PDF of one owner."""

from django.utils.text import slugify

from periods.models import Owner, ServicePeriod, Statement
from periods.sheets import balance_sheet_of
from periods.statements import typeset
from periods.statements.facts import MARKS, Material, facts_of
from periods.states import PeriodStatus


def statement_pdf(period: ServicePeriod, owner: Owner) -> bytes:
    """Return an owner's statement of a period as PDF.

    As it was issued under the present version of the sheet; marked provisional while the period is stale. One
    that was not issued yet has no number, and that of an open period is a preview.
    """
    issued = Statement.objects.filter(
        owner=owner, period=period, sheet__version=period.version
    ).first()
    if issued is None or period.status == PeriodStatus.OPEN:
        return typeset(facts_of(Material.of(period, balance_sheet_of(period)), owner))
    return typeset({**issued.facts, "mark": MARKS.get(PeriodStatus(period.status), "")})


def name_of(period: ServicePeriod, owner: Owner) -> str:
    """Return the name of the file."""
    return f"statement-{slugify(period.name) or 'period'}-{slugify(owner.name) or owner.number}.pdf"
