"""Who is asking: tokens, and what one may do."""

from typing import Any

from django.contrib.auth import logout
from rest_framework import serializers
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ledger.api.documentation import Documentation
from ledger.api.fields import InstantField, TextField
from ledger.api.resource import actor_of, origin_of, user_of
from ledger.api.serializers import Input, NoInput, Output
from ledger.encryption import mask
from ledger.models import Membership, User
from ledger.services.people import choose_channel
from ledger.services.second_factor import SecondFactorRequired, step_up
from ledger.services.signing_in import WrongCredentials, revoke_token, token_for


class SignInInput(Input):
    username = TextField(max_length=150)
    password = TextField(max_length=1000, trim_whitespace=False)
    code = TextField(
        max_length=20,
        required=False,
        allow_blank=True,
        help_text="A code of the app, or a recovery code: of whoever has set up a second factor.",
    )


class TokenSerializer(serializers.Serializer):
    token = serializers.CharField()


class TokenIssue(APIView):
    """Get a token for a name and a password.

    Send it as `Authorization: Token …`. A wrong name and a wrong password are answered alike; too many
    failures are refused for a while. Whoever has a second factor sends a code of it as `code`.
    """

    authentication_classes = ()
    permission_classes = (AllowAny,)
    schema = Documentation()
    Input, Output = SignInInput, TokenSerializer
    refusals = {
        400: "second_factor_invalid",
        401: "wrong_credentials, second_factor_required",
        429: "too_many_requests",
    }

    def post(self, request: Request) -> Response:
        given = SignInInput(data=request.data)
        given.is_valid(raise_exception=True)
        try:
            token = token_for(origin=origin_of(request), **given.validated_data)
        except (WrongCredentials, SecondFactorRequired) as refusal:
            raise AuthenticationFailed(refusal.detail, code=refusal.code) from None
        return Response({"token": token})

    def get_authenticate_header(self, request: Request) -> str:
        return "Token"


class RevokedSerializer(serializers.Serializer):
    revoked = serializers.BooleanField(help_text="Whether there was a token to revoke.")


class TokenRevoke(APIView):
    """Revoke the token this is asked with; a browser's session ends."""

    schema = Documentation()
    Input, Output = NoInput, RevokedSerializer

    def post(self, request: Request) -> Response:
        digest = getattr(request.auth, "digest", None)
        if digest is None:
            logout(request)
            return Response({"revoked": False})
        revoke_token(actor=actor_of(request), user_id=user_of(request).pk, digest=digest)
        return Response({"revoked": True})


class MembershipSerializer(Output):
    class Meta:
        model = Membership
        fields = ("role", "company", "region", "branch")


class MeSerializer(Output):
    name = serializers.CharField(source="get_full_name", read_only=True)
    email = serializers.CharField(read_only=True, help_text="Empty where none is known.")
    phone = serializers.SerializerMethodField(help_text="Masked.")
    memberships = MembershipSerializer(many=True, read_only=True)

    class Meta:
        model = User
        fields = (
            "id", "username", "name", "email", "phone", "code_channel", "is_superuser", "memberships",
        )  # fmt: skip

    def get_phone(self, user: User) -> str:
        return mask(user.phone or "")


class MeInput(Input):
    code_channel = serializers.ChoiceField(User.Channel.choices)


class Me(APIView):
    """GET: Who is asking, and which roles he has where; a superuser has every role everywhere
    PATCH: Choose how codes reach one: by e-mail or by SMS
    """

    schema = Documentation()
    Input, Output = MeInput, MeSerializer
    refusals = {400: "", 409: "no_phone"}

    def get(self, request: Request) -> Response:
        return self._shown(request)

    def patch(self, request: Request) -> Response:
        given = MeInput(data=request.data)
        given.is_valid(raise_exception=True)
        user_id, channel = user_of(request).pk, given.validated_data["code_channel"]
        choose_channel(actor=actor_of(request), user_id=user_id, channel=channel)
        return self._shown(request)

    def _shown(self, request: Request) -> Response:
        user = User.objects.prefetch_related("memberships").get(pk=user_of(request).pk)
        answer: dict[str, Any] = MeSerializer(user).data
        return Response(answer)


class StepUpInput(Input):
    code = TextField(max_length=20)


class StepUpSerializer(serializers.Serializer):
    verified_until = InstantField(source="expires_at")


class StepUpDo(APIView):
    """Show one's second factor, for what needs it above a threshold.

    `code` is one of the app, or a recovery code. It then counts for ten minutes, for this token or session only.
    """

    schema = Documentation()
    Input, Output = StepUpInput, StepUpSerializer
    refusals = {400: "second_factor_invalid", 409: "not_enrolled"}

    def post(self, request: Request) -> Response:
        given = StepUpInput(data=request.data)
        given.is_valid(raise_exception=True)
        shown = step_up(actor=actor_of(request), **given.validated_data)
        return Response(StepUpSerializer(shown).data)
