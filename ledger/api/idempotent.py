"""The ``Idempotency-Key`` header: one domain call whose answer is kept and given again."""

import hashlib
import re
from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from rest_framework.request import Request
from rest_framework.response import Response

from ledger import idempotency
from ledger.refusals import InvalidInput

HEADER = "Idempotency-Key"
IN_META = "HTTP_IDEMPOTENCY_KEY"
REPLAYED = "Idempotent-Replayed"
ACCEPTABLE = re.compile(r"[\x21-\x7e]([\x20-\x7e]{0,253}[\x21-\x7e])?", re.ASCII)
Result = TypeVar("Result")


def answer_once(
    request: Request,
    *,
    user_id: UUID,
    act: Callable[[], Result],
    answer: Callable[[Result], idempotency.Answer],
    before_replay: Callable[[], object] = lambda: None,
) -> Response:
    """Make the domain call ``act`` and return ``answer`` of its result.

    With a key on the request, the answer is stored in the transaction of the call, or the stored one is
    given again with ``Idempotent-Replayed: true`` and nothing is done; ``before_replay`` raises where it may
    not be given any more. Raises ``InvalidInput`` on the header for a key that is none, and what
    ``ledger.idempotency`` refuses.
    """
    answers: list[idempotency.Answer] = []

    def kept(result: Result) -> idempotency.Answer:
        answers[:] = [answer(result)]
        return answers[0]

    try:
        with idempotency.answering(_keyed(request, user_id, kept)):
            result = act()
    except idempotency.Replay as replay:
        before_replay()
        return Response(replay.body, status=replay.status_code, headers={REPLAYED: "true"})
    status_code, body = answers[0] if answers else answer(result)
    return Response(body, status=status_code)


def key_of(request: Request) -> str | None:
    """Return what the header of this request says, None where there is none."""
    key: str | None = request.META.get(IN_META)
    return key


def has_no_bad_key(request: Request) -> bool:
    """Whether the header, if there is one, can be a key: 1 to 255 characters of plain ASCII, no space at its ends."""
    key = key_of(request)
    return key is None or ACCEPTABLE.fullmatch(key) is not None


def _keyed(
    request: Request, user_id: UUID, answer: Callable[[Any], idempotency.Answer]
) -> idempotency.Request | None:
    key = key_of(request)
    if key is None:
        return None
    if not has_no_bad_key(request):
        raise InvalidInput.on(HEADER, "A key is 1 to 255 characters of plain ASCII.")
    return idempotency.Request(
        user_id=user_id,
        scope=f"{request.method} {request.path.rstrip('/')}/",
        key=key,
        request_hash=idempotency.hash_of(_content(request)),
        answer=answer,
    )


def _content(request: Request) -> Any:
    """Return what tells two bodies apart: the fields, and of a file its hash."""
    if not isinstance(request.data, dict):
        return request.data
    return {name: _fingerprint(value) for name, value in request.data.items()}


def _fingerprint(value: Any) -> Any:
    if not isinstance(value, UploadedFile):
        return value
    digest = hashlib.file_digest(value, "sha256").hexdigest()
    value.seek(0)
    return digest
