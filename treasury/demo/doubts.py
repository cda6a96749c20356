"""M-Pesa, when it does not go smoothly: refused, in doubt, before two people, on its way just now."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from treasury.demo.everyday import HEAD_OFFICE, MPESA, PORT, Story
from treasury.demo.stage import Stage, Wish
from treasury.services.payments import cancel_payment, retry_payment
from treasury.services.reconciliations import reconcile_payment
from treasury.services.resolution import resolve_payment
from treasury.states import PaymentStatus

# The last three digits of a number choose what the simulator does with it.
REFUSED, OVER_LIMIT, FOR_EVER, IN_DOUBT = "0712600003", "0712600005", "0712600006", "0712600012"


def stories(stage: Stage, *, end: datetime) -> Iterator[Story]:
    """What needs the gateway; the last of it is on its way at ``end``."""

    def ago(**span: float) -> datetime:
        return end - timedelta(**span)

    yield _in_doubt_and_paid(stage, ago(days=10, hours=2))
    yield _failed_three_times(stage, ago(days=6, hours=3))
    yield _reviewed_by_two(stage, ago(days=7, hours=4))
    yield _in_review(stage, ago(hours=31), proposed=True)
    yield _in_review(stage, ago(hours=29), proposed=False)
    yield _failed(stage, ago(hours=19))
    yield _unknown(stage, ago(minutes=55))
    yield _executing(stage, ago(seconds=20))


def _in_doubt_and_paid(stage: Stage, moment: datetime) -> Story:
    """The gateway's answer got lost; asked, it says that the money moved."""
    yield moment
    wish = Wish(PORT, 6_200, "Port pass renewals", "Rashid Omar", MPESA, IN_DOUBT)
    payment = stage.execute(stage.make_payment(stage.approve(stage.request(wish))))
    yield stage.after(seconds=20)
    stage.look_after()
    yield stage.after(minutes=2)
    payment = stage.settle(payment)
    yield stage.after(days=1)
    if payment.status == PaymentStatus.SUCCESS:
        reconcile_payment(actor=stage.acting("reconciler"), payment_id=payment.pk)


def _failed(stage: Stage, moment: datetime) -> Story:
    yield moment
    wish = Wish(HEAD_OFFICE, 4_300, "Refund of a deposit", "Lydia Chebet", MPESA, REFUSED)
    stage.settle(stage.execute(stage.make_payment(stage.approve(stage.request(wish)))))


def _failed_three_times(stage: Stage, moment: datetime) -> Story:
    """Refused as often as it may be, then withdrawn."""
    yield moment
    wish = Wish(
        HEAD_OFFICE, 88_000, "Driver training, eight people", "Naomi Wekesa", MPESA, OVER_LIMIT
    )
    payment = stage.make_payment(stage.approve(stage.request(wish)))
    for attempt in range(3):
        if attempt:
            yield stage.after(hours=3)
            payment = retry_payment(actor=stage.acting("treasurer"), payment_id=payment.pk)
        payment = stage.settle(stage.execute(payment))
    yield stage.after(hours=20)
    cancel_payment(actor=stage.acting("treasurer"), payment_id=payment.pk)


def _reviewed_by_two(stage: Stage, moment: datetime) -> Story:
    """A day of doubt; two people find that nothing was paid, and the payment fails for good."""
    yield moment
    wish = Wish(HEAD_OFFICE, 5_750, "Night guards, public holiday", "Moses Barasa", MPESA, FOR_EVER)
    payment = stage.execute(stage.make_payment(stage.approve(stage.request(wish))))
    yield stage.after(minutes=6)
    stage.look_after()
    yield stage.after(hours=25)
    stage.look_after()  # asks once more …
    yield stage.after(minutes=1)
    stage.look_after()  # … and then puts it before two people
    for hours, who, evidence in (
        (1, "treasurer", "Not on the M-Pesa statement of that day."),
        (2, "cfo", "Moses Barasa confirms by phone that nothing came."),
    ):
        yield stage.after(hours=hours)
        resolve_payment(
            actor=stage.acting(who),
            payment_id=payment.pk,
            outcome="not_paid",
            evidence=evidence,
            today=stage.today,
        )
    yield stage.after(hours=1)
    cancel_payment(actor=stage.acting("treasurer"), payment_id=payment.pk)


def _in_review(stage: Stage, moment: datetime, *, proposed: bool) -> Story:
    """A day of doubt; it waits for two people, or for the second of them."""
    yield moment
    payee, amount = ("Ruth Nekesa", 3_900) if proposed else ("Ali Bakari", 2_850)
    wish = Wish(PORT, amount, "Seals and lashing", payee, MPESA, FOR_EVER)
    payment = stage.execute(stage.make_payment(stage.approve(stage.request(wish))))
    yield stage.after(minutes=6)
    stage.look_after()
    yield stage.after(hours=25)
    stage.look_after()  # asks once more …
    yield stage.after(minutes=1)
    stage.look_after()  # … and then puts it before two people
    if not proposed:
        return
    yield stage.after(hours=2)
    resolve_payment(
        actor=stage.acting("treasurer"),
        payment_id=payment.pk,
        outcome="not_paid",
        evidence="Not on the M-Pesa statement; the payee has received nothing.",
        today=stage.today,
    )


def _unknown(stage: Stage, moment: datetime) -> Story:
    """Accepted, no result, and asked in vain: it is in doubt now."""
    yield moment
    wish = Wish(HEAD_OFFICE, 1_950, "Spare keys, yard gate", "Faith Moraa", MPESA, FOR_EVER)
    stage.execute(stage.make_payment(stage.approve(stage.request(wish))))
    yield stage.after(minutes=6)
    stage.look_after()


def _executing(stage: Stage, moment: datetime) -> Story:
    """On its way just now."""
    yield moment
    wish = Wish(HEAD_OFFICE, 2_600, "Airport run, auditors", "John Gitau", MPESA, FOR_EVER)
    stage.execute(stage.make_payment(stage.approve(stage.request(wish))))
