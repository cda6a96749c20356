"""Signing in to the admin; a name that fails too often has to wait, as at the API."""

from typing import Any

from django.core.exceptions import ValidationError
from unfold.forms import AuthenticationForm

from ledger.refusals import TooManyRequests
from ledger.services.signing_in import count_failure, require_patience


class SignIn(AuthenticationForm):
    """Name and password of somebody who may use the admin."""

    def clean(self) -> dict[str, Any]:
        name = self.cleaned_data.get("username") or ""
        address = self.request.META.get("REMOTE_ADDR") if self.request else None
        try:
            require_patience(name, address)
        except TooManyRequests as refusal:
            raise ValidationError(refusal.detail, code=refusal.code) from refusal
        try:
            cleaned: dict[str, Any] = super().clean()
        except ValidationError:
            count_failure(name, address)
            raise
        return cleaned
