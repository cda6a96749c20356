"""The voucher of a payment, to be printed."""

from typing import Any

from django.http import HttpResponse
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from rest_framework.request import Request

from ledger.api.resource import Resource
from treasury.selectors import payments_seen_by
from treasury.vouchers import name_of, voucher_of


class PaymentVoucher(Resource):
    """Download the voucher of an executed payment as PDF; 409 before it is executed."""

    rows, key, Output = staticmethod(payments_seen_by), "payment_id", OpenApiTypes.BINARY
    produces, reading_refusals = ("application/pdf",), {409: "not_executed"}

    def get(self, request: Request, **path: Any) -> HttpResponse:
        payment = self.found()
        answer = HttpResponse(voucher_of(payment), content_type="application/pdf")
        answer.headers["Content-Disposition"] = content_disposition_header(
            as_attachment=True, filename=name_of(payment)
        )
        answer.headers["X-Content-Type-Options"] = "nosniff"
        return answer
