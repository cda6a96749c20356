"""Tokens: ``Authorization: Token …``, hashed at rest."""

from typing import Any

from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.plumbing import build_bearer_security_scheme_object
from knox.auth import TokenAuthentication as KnoxTokenAuthentication
from knox.crypto import hash_token
from knox.models import AuthToken
from knox.settings import knox_settings
from rest_framework import HTTP_HEADER_ENCODING
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from ledger.models import User
from ledger.rows import Columns, join, rows_of

PREFIX = knox_settings.AUTH_HEADER_PREFIX.encode()
REFUSAL = "This token is not valid."
# Each request reads these; what hardly one of them asks about stays in the database until one does.
TOKEN = Columns(AuthToken, without={"token_key", "created", "expiry"})
USER = Columns(User, without={"password", "last_login", "date_joined", "phone"})
TOKEN_OF = f"""
    SELECT {TOKEN.of("token")}, {USER.of("person")}
    FROM knox_authtoken token JOIN ledger_user person ON person.id = token.user_id
    WHERE token.digest = %s AND (token.expiry IS NULL OR token.expiry > %s) AND person.is_active
"""  # noqa: S608 -- column names of models


class TokenAuthentication(KnoxTokenAuthentication):  # type: ignore[misc]
    """Finds a token by its hash, in one query however many tokens a person has."""

    def authenticate(self, request: Request) -> Any:
        """Return the person and his token; None where the header says nothing of tokens."""
        header: str = request.META.get("HTTP_AUTHORIZATION", "")
        words = header.encode(HTTP_HEADER_ENCODING).split()
        if len(words) == 2 and words[0] == PREFIX:
            return self.authenticate_credentials(words[1])
        return super().authenticate(request)

    def authenticate_credentials(self, token: bytes) -> Any:
        try:
            digest = hash_token(token.decode("ascii"))
        except ValueError:
            raise AuthenticationFailed(REFUSAL) from None
        found = rows_of(TOKEN_OF, (digest, timezone.now()))
        if not found:
            raise AuthenticationFailed(REFUSAL)
        values = iter(found[0])
        given, user = TOKEN.read(values), USER.read(values)
        join(given, user=user)
        return user, given


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the token is described in OpenAPI."""

    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> Any:
        return build_bearer_security_scheme_object(
            header_name="Authorization", token_prefix=self.target.authenticate_header("")
        )
