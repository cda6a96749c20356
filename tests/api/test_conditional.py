"""Asking again and again for what is known already."""

from typing import Any

import pytest

from tests.api.caller import Caller
from tests.treasury.desk import Desk
from tests.treasury.factories import acting, today
from treasury.services.execution import execute_payment


@pytest.mark.parametrize(
    "path", ["/api/payments/{}/", "/api/payments/", "/api/payments/?status=success"]
)
def test_what_did_not_change_is_304(desk: Desk, path: str) -> None:
    payment = desk.pending()
    client: Any = Caller(desk.auditor).client
    address = path.format(payment.pk)
    first = client.get(address)
    assert first["ETag"]
    assert "no-cache" in first["Cache-Control"]
    again = client.get(address, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    execute_payment(actor=acting(desk.treasurer), payment_id=payment.pk, today=today)
    changed = client.get(address, headers={"If-None-Match": first["ETag"]})
    assert changed.status_code == 200
    assert changed["ETag"] != first["ETag"]


def test_a_refusal_has_no_tag(desk: Desk) -> None:
    answer: Any = Caller(desk.auditor).client.get("/api/payments/?status=lost")
    assert (answer.status_code, answer.has_header("ETag")) == (400, False)
