"""Answers that need not be sent again: an ``ETag``, and 304 to whoever has it already."""

import hashlib
from typing import Any

from django.utils.cache import get_conditional_response, patch_vary_headers
from rest_framework.request import Request


class Conditional:
    """A ``GET`` whose answer carries an ``ETag`` of its content; with ``If-None-Match`` 304 where it fits.

    For clients that ask again and again: what they know already costs no transfer.
    """

    is_conditional = True

    def finalize_response(self: Any, request: Request, response: Any, *args: Any, **kw: Any) -> Any:
        answer = super().finalize_response(request, response, *args, **kw)  # type: ignore[misc]
        if request.method != "GET" or answer.status_code != 200 or answer.streaming:
            return answer
        answer.render()
        tag = f'"{hashlib.sha256(answer.content).hexdigest()[:32]}"'
        answer.headers["ETag"] = tag
        answer.headers["Cache-Control"] = "private, no-cache"
        patch_vary_headers(answer, ["Authorization", "Cookie"])
        return get_conditional_response(request._request, etag=tag, response=answer) or answer
