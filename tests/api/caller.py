"""Somebody who calls the API, and expects an answer."""

from typing import Any

from rest_framework.test import APIClient

from ledger.models import User

PROBLEM = "application/problem+json"


class Caller:
    """A person at the API, or nobody; every call says what status it expects and returns the body."""

    def __init__(self, user: User | None = None) -> None:
        self.client = APIClient()
        self.client.force_authenticate(user)

    def get(self, path: str, expect: int = 200) -> Any:
        return read(self.client.get(path), expect)

    def post(
        self, path: str, body: Any = None, expect: int = 200, headers: dict[str, str] | None = None
    ) -> Any:
        return read(self.client.post(path, body, headers=headers), expect)

    def patch(self, path: str, body: Any, expect: int = 200) -> Any:
        return read(self.client.patch(path, body), expect)

    def results(self, path: str) -> list[dict[str, Any]]:
        """The rows of a list's first page."""
        found: list[dict[str, Any]] = self.get(path)["results"]
        return found


def read(answer: Any, expect: int) -> Any:
    """The body of an answer with this status; a refusal is a whole problem document."""
    assert answer.status_code == expect, (answer.status_code, answer.content)
    body = answer.json()
    if expect >= 400:
        assert answer["Content-Type"] == PROBLEM
        assert set(body) - {"errors"} == {"type", "title", "status", "detail", "code"}
        assert body["status"] == expect
    return body
