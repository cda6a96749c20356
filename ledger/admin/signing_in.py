"""Signing in to the admin and the pages; a name that fails too often has to wait, as at the API."""

from typing import Any

from django.contrib.auth import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from unfold.forms import AuthenticationForm

from ledger.refusals import TooManyRequests
from ledger.services.signing_in import count_failure, require_patience


class Patience:
    """Asks a form's name and address to wait where they have failed too often, and counts failures."""

    request: HttpRequest | None
    cleaned_data: dict[str, Any]

    def clean(self) -> dict[str, Any]:
        name = self.cleaned_data.get("username") or ""
        address = self.request.META.get("REMOTE_ADDR") if self.request else None
        try:
            require_patience(name, address)
        except TooManyRequests as refusal:
            raise ValidationError(refusal.detail, code=refusal.code) from refusal
        try:
            cleaned: dict[str, Any] = super().clean()  # type: ignore[misc]
        except ValidationError:
            count_failure(name, address)
            raise
        return cleaned


class SignIn(Patience, AuthenticationForm):
    """Name and password of somebody who may use the admin."""


class PatientSignIn(Patience, forms.AuthenticationForm):
    """Name and password of anybody, for pages outside the admin."""
