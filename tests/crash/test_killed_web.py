"""The web process dies between an effect and its answer: asked again, it answers, and nothing is doubled."""

from collections.abc import Iterator

import httpx
import pytest

from tests.scene import Scene, assert_books_hold, build_scene
from tests.web import Web, serving
from treasury.models import PaymentExecution

KEY = {"Idempotency_Key": "pay-wanjiku-on-friday"}


@pytest.fixture
def dying_web(child_environment: dict[str, str]) -> Iterator[Web]:
    """Each test has its own: a server whose worker dies twice in a few seconds gives up."""
    with serving(child_environment, application="tests.crash.dying_web:application") as web:
        yield web


@pytest.fixture
def scene(transactional_db: None, reorder_level: int) -> Scene:
    return build_scene(reorder_level=reorder_level)


# A fund that runs low is asked to be filled in the payment's transaction, which then is no single statement.
@pytest.mark.parametrize("reorder_level", [0, 500_000], ids=["at once", "under the locks"])
@pytest.mark.parametrize(("side", "replayed"), [("before", None), ("after", "true")])
def test_a_request_whose_answer_was_lost_is_answered_when_it_is_repeated(
    scene: Scene, dying_web: Web, side: str, replayed: str | None
) -> None:
    payment = scene.payment(1000)
    token = dying_web.token(scene.people["treasurer"].username)
    path = f"/api/payments/{payment.pk}/execute/"
    with pytest.raises(httpx.TransportError):
        dying_web.post(path, token=token, **KEY, X_Die=side)
    assert PaymentExecution.objects.count() == (1 if side == "after" else 0)
    dying_web.wait_until_up()
    answers = [dying_web.post(path, token=token, **KEY) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert [a.headers.get("Idempotent-Replayed") for a in answers] == [replayed, "true"]
    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["status"] == "success"
    assert PaymentExecution.objects.count() == 1
    assert scene.balances().balance == scene.opening - 1000
    assert_books_hold()
