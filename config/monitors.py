"""Who may see how the installation is doing: a monitor with its token or address, or staff signed in."""

import hmac
from ipaddress import ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest


def is_monitor(request: HttpRequest) -> bool:
    """Whether the request carries ``BURSAR_MONITORING_TOKEN``, or comes from an address allowed to ask."""
    return _has_token(request) or _is_allowed(_address(request))


def _address(request: HttpRequest) -> str:
    """The caller's address, "" where a proxy that we do not know of stands between us and him."""
    if request.META.get("HTTP_X_FORWARDED_FOR") and not settings.BURSAR_TRUSTED_PROXIES:
        return ""
    return request.META.get("REMOTE_ADDR") or ""


def is_staff(request: HttpRequest) -> bool:
    """Whether a member of staff is signed in; costs nothing without a session's cookie."""
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return False
    user = request.user
    return bool(user.is_active and user.is_staff)


def _has_token(request: HttpRequest) -> bool:
    wanted: str = settings.BURSAR_MONITORING_TOKEN
    scheme, _, given = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    if not wanted or scheme.lower() != "bearer":
        return False
    return hmac.compare_digest(given.strip().encode(), wanted.encode())


def _is_allowed(address: str) -> bool:
    try:
        caller = ip_address(address)
    except ValueError:
        return False
    return any(caller in ip_network(network) for network in settings.BURSAR_MONITORING_ADDRESSES)
