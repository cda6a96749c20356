"""Tokens: ``Authorization: Token …``, hashed at rest."""

from typing import Any

from django.db.models import Q
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.plumbing import build_bearer_security_scheme_object
from knox.auth import TokenAuthentication as KnoxTokenAuthentication
from knox.crypto import hash_token
from knox.models import AuthToken
from rest_framework.exceptions import AuthenticationFailed

REFUSAL = "This token is not valid."


class TokenAuthentication(KnoxTokenAuthentication):  # type: ignore[misc]
    """Finds a token by its hash, in one query however many tokens a person has."""

    def authenticate_credentials(self, token: bytes) -> Any:
        try:
            digest = hash_token(token.decode("ascii"))
        except ValueError:
            raise AuthenticationFailed(REFUSAL) from None
        good = Q(expiry__isnull=True) | Q(expiry__gt=timezone.now())
        rows = AuthToken.objects.select_related("user").filter(good, user__is_active=True)
        found = rows.filter(digest=digest).first()
        if found is None:
            raise AuthenticationFailed(REFUSAL)
        return found.user, found


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the token is described in OpenAPI."""

    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> Any:
        return build_bearer_security_scheme_object(
            header_name="Authorization", token_prefix=self.target.authenticate_header("")
        )
