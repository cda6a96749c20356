"""How long a call to the gateway may take: short where no reply will come, long on a busy machine."""

from collections.abc import Callable, Collection
from typing import Any

from django.conf import settings

from payments.gateways import http

PATIENT_S = 30.0
IMPATIENT_S = 2.0
Set = Callable[[Any, str, Any], None]


def limit(operations: Collection[str], set: Set = setattr, *, seconds: float = IMPATIENT_S) -> None:
    """Give the calls of these operations little time; ``set`` is ``monkeypatch.setattr`` in a test."""
    with_deadline = http._with_deadline

    async def limited(call: http.Call, progress: http._Progress) -> http.Answer:
        settings.BURSAR_GATEWAY_DEADLINE_S = seconds if call.operation in operations else PATIENT_S
        return await with_deadline(call, progress)

    set(http, "_with_deadline", limited)
