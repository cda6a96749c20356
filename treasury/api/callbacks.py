"""Where gateways reach us. Nobody signs in here: the address itself is the secret."""

from dataclasses import replace
from typing import Any

from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ledger.actor import Actor
from ledger.api.documentation import Documentation
from ledger.api.resource import origin_of
from ledger.refusals import InvalidInput, NotFound
from treasury.addresses import SHORT_NAMES
from treasury.services.callbacks import LARGEST_BODY, record_callback


class AcceptedSerializer(serializers.Serializer):
    """What Safaricom wants to read."""

    ResultCode = serializers.IntegerField()
    ResultDesc = serializers.CharField()


class CallbackInbox(APIView):
    """Take what a gateway has to say about a payment.

    Kept as it came, byte for byte; it moves no money by itself. Answered 2xx once it is kept.
    """

    authentication_classes = ()
    permission_classes = (AllowAny,)
    parser_classes = ()
    schema = Documentation()
    Input, Output = serializers.Serializer, AcceptedSerializer
    refusals = {400: "", 404: ""}

    def post(self, request: Request, short: str, attempt_id: Any, token: str) -> Response:
        if short not in SHORT_NAMES.values():
            raise NotFound("There is no such address.")
        actor = replace(Actor.system("callback"), **origin_of(request))
        body = self._body(request)
        if not record_callback(actor=actor, attempt_id=attempt_id, token=token, body=body):
            raise NotFound("There is no such address.")
        return Response({"ResultCode": 0, "ResultDesc": "Accepted"})

    def _body(self, request: Request) -> bytes:
        """Read no more than a callback can be, whatever it says of its length."""
        body = request.stream.read(LARGEST_BODY + 1) if request.stream else b""
        if len(body) > LARGEST_BODY:
            raise InvalidInput.on("body", "This is larger than any callback.")
        return bytes(body)
