"""The command that makes the first company, as somebody types it."""

import pytest
from django.core.management import CommandError, call_command

from ledger.models import Company, User

pytestmark = pytest.mark.django_db
MADE = ["Savannah Freight Ltd", "--code", "savannah", "--currency", "KES"]


def nobody_answers(prompt: str) -> str:
    raise EOFError


def test_a_company_is_made_with_the_password_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BURSAR_ADMIN_PASSWORD", "Correct-horse-9")
    call_command("create_company", *MADE, "--admin", "boss")
    assert Company.objects.get().name == "Savannah Freight Ltd"
    assert User.objects.get(username="boss").check_password("Correct-horse-9")


def test_where_nobody_can_be_asked_for_the_password_the_command_says_what_to_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("BURSAR_ADMIN_PASSWORD", raising=False)
    monkeypatch.setattr("getpass.getpass", nobody_answers)
    with pytest.raises(CommandError, match="set BURSAR_ADMIN_PASSWORD"):
        call_command("create_company", *MADE, "--admin", "boss")
    assert not Company.objects.exists()
