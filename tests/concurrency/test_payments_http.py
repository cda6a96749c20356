"""Two hundred requests at the same instant, to a real web process."""

from collections import Counter
from functools import partial

import httpx

from ledger.models import IdempotencyKey
from tests.crowd import at_once
from tests.scene import Scene, assert_books_hold
from tests.web import Web
from treasury.models import Payment, PaymentExecution

CROWD = 200


def crowd_executes(scene: Scene, web: Web, payment: Payment, **headers: str) -> Counter[str]:
    token = web.token(scene.people["treasurer"].username)
    path = f"/api/payments/{payment.pk}/execute/"
    request = partial(web.post, path, token=token, **headers)
    return Counter(map(said, at_once([request] * CROWD, connected=False)))


def said(answer: httpx.Response | Exception) -> str:
    """The status and a refusal's code."""
    assert isinstance(answer, httpx.Response), answer
    body = answer.json()
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
    return f"{answer.status_code} {body.get('code', body['status'])}"


def test_of_200_requests_to_execute_one_payment_one_succeeds(scene: Scene, web: Web) -> None:
    payment = scene.payment(1000)
    answers = crowd_executes(scene, web, payment)
    assert answers == {"200 success": 1, "409 illegal_transition": CROWD - 1}
    assert PaymentExecution.objects.count() == 1
    assert scene.balances().balance == scene.opening - 1000
    assert_books_hold()


def test_of_200_requests_with_one_key_one_has_an_effect_and_all_agree(
    scene: Scene, web: Web
) -> None:
    payment = scene.payment(1000)
    answers = crowd_executes(scene, web, payment, Idempotency_Key="pay-wanjiku")
    assert set(answers) <= {"200 success", "409 idempotency_in_progress"}
    assert answers["200 success"] >= 1
    assert PaymentExecution.objects.count() == 1
    assert scene.balances().balance == scene.opening - 1000


def test_of_many_requests_with_keys_of_their_own_one_pays_and_the_others_see_that_it_is_paid(
    scene: Scene, web: Web
) -> None:
    payment = scene.payment(1000)
    token = web.token(scene.people["treasurer"].username)
    path = f"/api/payments/{payment.pk}/execute/"
    requests = [
        partial(web.post, path, token=token, Idempotency_Key=f"key-{number}") for number in range(8)
    ]
    answers = Counter(map(said, at_once(requests, connected=False)))
    assert answers == {"200 success": 1, "409 illegal_transition": 7}
    assert IdempotencyKey.objects.count() == PaymentExecution.objects.count() == 1
