"""Limits of a day under a crowd: two funds that pay one payee meet at one counter."""

from collections.abc import Callable
from functools import partial
from itertools import chain

from ledger.clock import today
from ledger.models import Account
from tests.crowd import at_once, tally
from tests.scene import Scene, assert_books_hold
from treasury.models import DailySpending, Payment
from treasury.services.execution import execute_payment
from treasury.services.funds import open_fund
from treasury.services.limits import set_spending_limit

CROWD = 60
MOST = 25


def limit(scene: Scene, scope: str, **most: int) -> None:
    set_spending_limit(
        actor=scene.actor("cfo"),
        company_id=scene.company.pk,
        currency="KES",
        scope=scope,
        most_payments=most.get("payments"),
        most_amount=most.get("amount"),
    )


def of_second_fund(scene: Scene, number: int) -> list[Payment]:
    """Payments of another fund of the company to the same payee and destination."""
    first = scene.fund
    scene.fund = open_fund(
        actor=scene.actor("cfo"), company_id=scene.company.pk, name="Second", currency="KES"
    )
    scene.fill(1000)
    payments = scene.many_payments(number, 10)
    scene.fund = first
    return payments


def test_a_crowd_at_two_funds_pays_one_destination_as_often_as_it_may(scene: Scene) -> None:
    for scope in ("destination", "payee"):
        limit(scene, scope, payments=MOST)
    limit(scene, "fund", amount=10**6)
    pairs = zip(scene.many_payments(CROWD // 2, 10), of_second_fund(scene, CROWD // 2), strict=True)
    outcomes = at_once(
        [
            partial(
                execute_payment, actor=scene.actor("treasurer"), payment_id=payment.pk, today=today
            )
            for payment in chain.from_iterable(pairs)
        ]
    )
    assert tally(outcomes) == {"done": MOST, "409 velocity_limit": CROWD - MOST}
    assert Payment.objects.filter(status="success").count() == MOST
    counts = DailySpending.objects.exclude(scope="fund").values_list("payments", "amount")
    assert list(counts) == [(MOST, 10 * MOST)] * 2
    funds = Account.objects.filter(fund__isnull=False).values_list("balance", flat=True)
    assert sum(funds) == scene.opening + 1000 - 10 * MOST
    assert_books_hold()


def test_a_limit_set_in_the_midst_of_a_crowd_counts_every_payment(scene: Scene) -> None:
    payments = scene.many_payments(CROWD // 2, 10)
    acts: list[Callable[[], object]] = [
        partial(execute_payment, actor=scene.actor("treasurer"), payment_id=payment.pk, today=today)
        for payment in payments
    ]
    setting = partial(limit, scene, "payee", payments=10**6)
    acts.insert(15, setting)
    outcomes = at_once(acts)
    assert tally(outcomes) == {"done": CROWD // 2 + 1}
    assert DailySpending.objects.get().payments == CROWD // 2
