"""What does not happen every week: a story for everything that can become of paper and payments.

The last ones end shortly before the present, so that something waits for everybody who signs in.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from treasury.demo import banks, batches, doubts
from treasury.demo.everyday import CASH, HEAD_OFFICE, PORT, Story
from treasury.demo.papers import quotation
from treasury.demo.stage import Stage, Wish
from treasury.services.attachments import add_attachment
from treasury.services.payments import cancel_payment
from treasury.services.reconciliations import reconcile_payment
from treasury.services.replenishment import (
    approve_replenishment,
    reject_replenishment,
    replenish,
)
from treasury.services.requisitions import (
    approve_requisition,
    cancel_requisition,
    edit_requisition,
    reject_requisition,
)
from treasury.services.reversals import reverse_payment
from treasury.services.variances import approve_variance, reject_variance

NAKURU = "Nakuru depot float"
KAMPALA = "Kampala depot"
COUNTER = "Collected at the office"


def stories(stage: Stage, *, end: datetime, gateway: bool) -> Iterator[Story]:
    """Everything out of the ordinary before ``end``, with a gateway where there is one."""

    def ago(**span: float) -> datetime:
        return end - timedelta(**span)

    yield _large_purchase(stage, ago(days=16, hours=3))
    yield _two_parts(stage, ago(days=12, hours=5))
    yield _corrected_upwards(stage, ago(days=9, hours=2))
    yield _came_back(stage, ago(days=13, hours=4))
    yield _variance_refused(stage, ago(days=8, hours=4))
    yield _variance_undecided(stage, ago(days=2, hours=5))
    yield _replenishment_refused(stage, ago(days=11, hours=1))
    yield _replenishment_approved(stage, ago(hours=20))
    yield _runs_low(stage, ago(hours=6))
    yield _rejected(stage, ago(days=5, hours=6))
    yield _withdrawn(stage, ago(days=4, hours=6))
    yield _edited_after_approval(stage, ago(hours=28))
    yield _approved_and_unpaid(stage, ago(hours=24))
    yield _half_approved(stage, ago(hours=7))
    yield _waits_for_its_code(stage, ago(hours=3))
    yield _payment_withdrawn(stage, ago(days=3, hours=2))
    yield _just_submitted(stage, ago(hours=2))
    yield _just_submitted_elsewhere(stage, ago(hours=4))
    yield from batches.stories(stage, end=end)
    if gateway:
        yield from doubts.stories(stage, end=end)
        yield from banks.stories(stage, end=end)


# --- Cash, tiers, evidence ------------------------------------------------------------------------------


def _large_purchase(stage: Stage, moment: datetime) -> Story:
    """Above the tier, with a quotation: two approvals, a code, a reconciliation."""
    yield moment
    wish = Wish(
        HEAD_OFFICE, 186_000, "Gearbox overhaul, KDB 418C", "Gikomba Gear Works", CASH, COUNTER
    )
    requisition = stage.request(wish)
    _attach(stage, requisition.pk, "Quotation gearbox.pdf", "Gearbox overhaul KES 186,000.00")
    yield stage.after(hours=1)
    requisition = stage.approve(requisition, comment="Cheapest of three quotations.")
    yield stage.after(hours=2)
    payment = stage.execute(stage.make_payment(requisition))
    yield stage.after(days=1)
    reconcile_payment(
        actor=stage.acting("reconciler"), payment_id=payment.pk, note="Invoice 2214 on file."
    )


def _two_parts(stage: Stage, moment: datetime) -> Story:
    """One requisition, paid in two parts, of which one has gone out."""
    yield moment
    wish = Wish(PORT, 48_000, "Demurrage, two containers", "Kilindini Handlers", CASH, COUNTER)
    requisition = stage.approve(stage.request(wish))
    yield stage.after(hours=1)
    stage.execute(stage.make_payment(requisition, amount=30_000))
    yield stage.after(hours=26)
    stage.make_payment(requisition, amount=12_000)


def _came_back(stage: Stage, moment: datetime) -> Story:
    """Paid for nothing: the payee brings the money back, and the books take it back."""
    yield moment
    wish = Wish(HEAD_OFFICE, 14_200, "Crane hire, cancelled lift", "Athi Crane Hire", CASH, COUNTER)
    payment = stage.execute(stage.make_payment(stage.approve(stage.request(wish))))
    for hours, who, evidence in (
        (25, "reconciler", "The lift was cancelled; all of it was paid in again, slip 0937."),
        (2, "cfo", "Seen on the bank's statement."),
    ):
        yield stage.after(hours=hours)
        reverse_payment(
            actor=stage.acting(who), payment_id=payment.pk, evidence=evidence, today=stage.today
        )


def _payment_withdrawn(stage: Stage, moment: datetime) -> Story:
    yield moment
    wish = Wish(HEAD_OFFICE, 7_400, "Tarpaulin repair", "Kariobangi Canvas", CASH, COUNTER)
    payment = stage.make_payment(stage.approve(stage.request(wish)))
    yield stage.after(hours=1)
    cancel_payment(actor=stage.acting("treasurer"), payment_id=payment.pk)


def _waits_for_its_code(stage: Stage, moment: datetime) -> Story:
    """The treasurer asked for a code and was called away."""
    yield moment
    wish = Wish(
        HEAD_OFFICE, 34_500, "Insurance excess, claim 7781", "Tumaini Assessors", CASH, COUNTER
    )
    requisition = stage.approve(stage.request(wish))
    yield stage.after(minutes=40)
    stage.send_code(stage.make_payment(requisition))


def _rejected(stage: Stage, moment: datetime) -> Story:
    yield moment
    wish = Wish(
        HEAD_OFFICE, 95_000, "Television for the waiting room", "Luthuli Electronics", CASH, COUNTER
    )
    requisition = stage.request(wish)
    yield stage.after(hours=2)
    reject_requisition(
        actor=stage.acting("cfo"),
        requisition_id=requisition.pk,
        reason="Not in this year's plan; ask again in January.",
    )


def _withdrawn(stage: Stage, moment: datetime) -> Story:
    yield moment
    wish = Wish(KAMPALA, 640_000, "Pallet jack", "Katwe Tools", CASH, "Kampala counter")
    requisition = stage.request(wish)
    yield stage.after(hours=3)
    cancel_requisition(actor=stage.acting("requester"), requisition_id=requisition.pk)


def _edited_after_approval(stage: Stage, moment: datetime) -> Story:
    """Approved, then edited: it waits for its approvals again."""
    yield moment
    wish = Wish(
        HEAD_OFFICE, 26_000, "Stationery, third quarter", "Nairobi Paper House", CASH, COUNTER
    )
    requisition = stage.approve(stage.request(wish))
    yield stage.after(hours=4)
    edit_requisition(actor=stage.acting("requester"), requisition_id=requisition.pk, amount=31_500)


def _approved_and_unpaid(stage: Stage, moment: datetime) -> Story:
    yield moment
    wish = Wish(
        HEAD_OFFICE, 15_800, "Fire extinguishers, yearly service", "Usalama Fire", CASH, COUNTER
    )
    requisition = stage.request(wish)
    _attach(stage, requisition.pk, "Service offer.pdf", "Service of 14 extinguishers KES 15,800.00")
    yield stage.after(hours=2)
    stage.approve(requisition, comment="Due this month.")


def _half_approved(stage: Stage, moment: datetime) -> Story:
    """Above the tier: the approver has agreed, the CFO has not yet."""
    yield moment
    wish = Wish(HEAD_OFFICE, 118_000, "Cold-chain sensors", "Baridi Instruments", CASH, COUNTER)
    requisition = stage.request(wish)
    yield stage.after(hours=1)
    approve_requisition(
        actor=stage.acting("approver"), requisition_id=requisition.pk, comment="Needed for tea."
    )


def _just_submitted(stage: Stage, moment: datetime) -> Story:
    yield moment
    wish = Wish(
        HEAD_OFFICE, 8_200, "First-aid kits for the yard", "Afya Bora Pharmacy", CASH, COUNTER
    )
    requisition = stage.request(wish)
    _attach(stage, requisition.pk, "Price list.pdf", "Six first-aid kits KES 8,200.00")


def _just_submitted_elsewhere(stage: Stage, moment: datetime) -> Story:
    yield moment
    stage.request(
        Wish(
            "Kigali office",
            240_000,
            "Moisture meters",
            "Kacyiru Instruments",
            CASH,
            "Kigali counter",
        )
    )


# --- Variances and replenishments -----------------------------------------------------------------------


def _corrected_upwards(stage: Stage, moment: datetime) -> Story:
    yield moment
    wish = Wish(PORT, 22_000, "Customs entry fees", "Bandari Clearing", CASH, COUNTER)
    payment = stage.execute(stage.make_payment(stage.approve(stage.request(wish))))
    yield stage.after(hours=5)
    variance = stage.correct(payment, 1_350, "The levy went up; receipt 5519.")
    yield stage.after(hours=18)
    approve_variance(actor=stage.acting("cfo"), variance_id=variance.pk, today=stage.today)


def _variance_refused(stage: Stage, moment: datetime) -> Story:
    yield moment
    wish = Wish(HEAD_OFFICE, 9_600, "Printer toner", "Nairobi Paper House", CASH, COUNTER)
    payment = stage.execute(stage.make_payment(stage.approve(stage.request(wish))))
    yield stage.after(hours=5)
    variance = stage.correct(payment, 400, "A tip for the delivery.")
    yield stage.after(hours=18)
    reject_variance(
        actor=stage.acting("cfo"), variance_id=variance.pk, reason="We do not pay tips."
    )


def _variance_undecided(stage: Stage, moment: datetime) -> Story:
    yield moment
    wish = Wish(HEAD_OFFICE, 12_500, "Towing, KCX 902L", "Limuru Recovery", CASH, COUNTER)
    payment = stage.execute(stage.make_payment(stage.approve(stage.request(wish))))
    yield stage.after(hours=20)
    stage.correct(payment, -1_500, "The invoice was lower than the offer.")


def _replenishment_refused(stage: Stage, moment: datetime) -> Story:
    yield moment
    request = replenish(
        actor=stage.acting("treasurer"),
        fund_id=stage.cast.funds[PORT].pk,
        amount=600_000,
        reason="Advance for the peak season",
    )
    yield stage.after(minutes=5)
    reject_replenishment(
        actor=stage.acting("cfo"),
        replenishment_id=request.pk,
        reason="The fund is well filled; ask when it is needed.",
    )


def _replenishment_approved(stage: Stage, moment: datetime) -> Story:
    yield moment
    request = replenish(
        actor=stage.acting("treasurer"),
        fund_id=stage.cast.funds[PORT].pk,
        amount=150_000,
        reason="Two vessels are due next week",
    )
    yield stage.after(hours=2)
    approve_replenishment(actor=stage.acting("cfo"), replenishment_id=request.pk)


def _runs_low(stage: Stage, moment: datetime) -> Story:
    """A payment leaves so little that the fund asks to be filled by itself."""
    yield moment
    fund = stage.cast.funds[NAKURU]
    fund.refresh_from_db()
    amount = int(fund.available_balance - fund.reorder_level) + 3_700
    wish = Wish(NAKURU, amount, "Roof repair after the storm", "Nakuru Sheet Metal", CASH, COUNTER)
    requisition = stage.approve(stage.request(wish), comment="Before the next rain.")
    yield stage.after(hours=1)
    stage.execute(stage.make_payment(requisition))


def _attach(stage: Stage, requisition_id: UUID, name: str, text: str) -> None:
    add_attachment(
        actor=stage.acting("requester"),
        requisition_id=requisition_id,
        name=name,
        data=quotation(text),
    )
