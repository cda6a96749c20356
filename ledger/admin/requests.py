"""Who asks, and with which roles: what every admin page needs to know of a request."""

from typing import cast

from django.http import HttpRequest

from ledger.actor import Actor
from ledger.encryption import blind_index
from ledger.models import Membership, User
from ledger.roles import READING_ROLES, Role

KEPT_AS = "_bursar_roles_anywhere"


def user_of(request: HttpRequest) -> User:
    """The person signed in; the admin lets nobody else this far."""
    return cast(User, request.user)


def actor_of(request: HttpRequest) -> Actor:
    """The person and the request, as the audit trail keeps them."""
    return Actor.of(
        user_of(request),
        ip_address=request.META.get("REMOTE_ADDR") or None,
        user_agent=request.META.get("HTTP_USER_AGENT", ""),
        request_id=request.META.get("HTTP_X_REQUEST_ID", ""),
        carrier=carrier_of_session(request),
    )


def carrier_of_session(request: HttpRequest) -> str:
    """The keyed hash of the browser's session, empty where there is none."""
    session = getattr(request, "session", None)
    key = session.session_key if session is not None else None
    return blind_index(f"session:{key}") if key else ""


def roles_anywhere(request: HttpRequest) -> frozenset[Role]:
    """Every role that the person has at some place; asked for once a request.

    It decides what is offered, never what is allowed: that is for the command, at the row's own place.
    """
    kept: frozenset[Role] | None = getattr(request, KEPT_AS, None)
    if kept is None:
        kept = _roles_of(user_of(request))
        setattr(request, KEPT_AS, kept)
    return kept


def _roles_of(user: User) -> frozenset[Role]:
    if not user.is_active:
        return frozenset()
    if user.is_superuser:
        return frozenset(Role)
    roles = Membership.objects.filter(user=user).values_list("role", flat=True)
    return frozenset(Role(role) for role in roles)


def reads(request: HttpRequest) -> bool:
    """Whether the person works for some organisation here, and so may read what it does."""
    return user_of(request).is_staff and bool(roles_anywhere(request) & READING_ROLES)
