"""A company with people who sign in, for the pages outside the admin."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks

from ledger.models import User
from tests.admin.office import Office, make_office, signed_in

CODE = re.compile(r"^(\d{6})$", re.MULTILINE)


@pytest.fixture
def office(db: None) -> Office:
    return make_office()


SendCode = Callable[[User, Sequence[str]], str]


@pytest.fixture
def code_for(django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks) -> SendCode:
    """Ask for the code of a set on the page, and read it from the mail."""

    def send(user: User, items: Sequence[str]) -> str:
        with django_capture_on_commit_callbacks(execute=True):
            answer = signed_in(user).post("/approvals/many/code/", {"items": list(items)})
        assert answer.status_code == 302, answer.content.decode()
        found = CODE.search(str(mail.outbox[-1].body))
        assert found, "the code stands alone on a line"
        return found[1]

    return send


def shown(client: Client, path: str, expect: int = 200) -> str:
    """The page at the address."""
    answer = client.get(path)
    assert answer.status_code == expect, answer.content.decode()
    return answer.content.decode()


def decide(user: User, kind: str, row: Any, act: str, **given: Any) -> Any:
    """Press a button beside a request, and follow to the page that comes next."""
    body = {"item": f"{kind}:{row.pk}", "act": act, **given}
    return signed_in(user).post("/approvals/decide/", body, follow=True)
