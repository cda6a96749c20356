"""Answers are written straight from columns; what they say is what DRF would have written."""

from typing import Any

import pytest
from rest_framework import serializers

from ledger.api.accounts import AccountSerializer
from ledger.api.organisation import CompanySerializer
from ledger.api.serializers import AuditEventSerializer, Output
from ledger.models import Account, AuditEvent, Company
from tests.api.caller import Caller
from tests.treasury.desk import Desk
from treasury.api.funds import TreasuryFundSerializer
from treasury.api.payments import (
    PaymentExecutionSerializer,
    PaymentSerializer,
    ResolutionSerializer,
)
from treasury.api.requisitions import RequisitionSerializer
from treasury.models import Payment, PaymentExecution, Requisition, TreasuryFund

WRITTEN: list[tuple[type[Output], Any]] = [
    (PaymentSerializer, Payment),
    (PaymentExecutionSerializer, PaymentExecution),
    (RequisitionSerializer, Requisition),
    (TreasuryFundSerializer, TreasuryFund),
    (AccountSerializer, Account),
    (CompanySerializer, Company),
    (AuditEventSerializer, AuditEvent),
]


@pytest.fixture
def busy(desk: Desk) -> Desk:
    """The desk, where one payment went out and one waits."""
    paid = desk.pending(amount="2000")
    Caller(desk.treasurer).post(f"/api/payments/{paid.pk}/execute/")
    desk.pending(amount="700")
    return desk


def test_a_row_is_written_as_drf_writes_it(busy: Desk) -> None:
    for output, model in WRITTEN:
        rows = list(model.objects.all())
        assert rows, model
        for row in rows:
            serializer = output(context={"user": busy.treasurer})
            usual = serializers.Serializer.to_representation(serializer, row)
            assert list(serializer.to_representation(row).items()) == list(usual.items())


class Share(Output):
    """An output with all that can stand beside columns."""

    payee = serializers.CharField(source="requisition.payee_name", read_only=True)
    doubled = serializers.SerializerMethodField()
    missing = serializers.CharField(source="no_such_thing", read_only=True)
    absent = serializers.CharField(source="no_such_thing", read_only=True, default=None)
    by: Any = serializers.PrimaryKeyRelatedField(source="scheduled_by", read_only=True)
    secret = serializers.CharField(source="currency", write_only=True)

    class Meta:
        model = Payment
        fields = ("amount", "payee", "doubled", "missing", "absent", "by", "secret", "status")

    def get_extra_kwargs(self) -> dict[str, Any]:
        return {}

    def get_doubled(self, payment: Payment) -> str:
        return payment.currency * 2


def test_what_is_no_column_is_looked_for_as_ever(busy: Desk) -> None:
    payment = busy.pending(amount="900")
    shown = Share(payment).data
    assert list(shown) == ["amount", "payee", "doubled", "absent", "by", "status"]
    assert (shown["doubled"], shown["absent"], shown["by"]) == ("KESKES", None, None)
    assert shown == serializers.Serializer.to_representation(Share(), payment)


def test_what_is_no_row_is_written_by_its_names() -> None:
    about = {"outcome": "paid", "evidence": "a receipt", "proposed_by_id": None}
    shown = ResolutionSerializer().to_representation({**about, "proposed_at": None})
    assert shown == {
        "outcome": "paid", "evidence": "a receipt", "proposed_by": None, "proposed_at": None,
    }  # fmt: skip
