"""Refusals: what Bursar will not do, and why, in words that the API, the admin and the pages share."""

from typing import Self


class Refusal(Exception):
    """A request that is understood and refused; nothing of it has been done.

    ``status`` is the HTTP status, ``code`` the stable lower-case name of the reason, ``detail`` a
    sentence for people, ``errors`` the messages per input field, ``retry_after`` seconds to wait.
    """

    status = 409
    code = "conflict"
    title = "Conflict"

    def __init__(
        self,
        detail: str,
        *,
        code: str | None = None,
        errors: dict[str, list[str]] | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or type(self).code
        self.errors = errors or {}
        self.retry_after = retry_after


class InvalidInput(Refusal):
    """Something the caller sent cannot be read or is out of bounds; names the field."""

    status = 400
    code = "invalid_input"
    title = "Invalid input"

    @classmethod
    def on(cls, field: str, message: str, *, code: str | None = None) -> Self:
        """The refusal of one field: its name, and what is wrong with its value."""
        return cls(message, code=code, errors={field: [message]})


class NotFound(Refusal):
    """There is no such thing within the caller's sight."""

    status = 404
    code = "not_found"
    title = "Not found"


class RoleRequired(Refusal):
    """The caller has none of the roles that this needs, at this place."""

    status = 403
    code = "role_required"
    title = "Role required"


class SegregationOfDuties(Refusal):
    """The caller has already taken another part in this matter; a second person is needed."""

    status = 403
    code = "segregation_of_duties"
    title = "Segregation of duties"


class Conflict(Refusal):
    """The present state does not allow it."""


class InsufficientFunds(Conflict):
    """The account has less available than the amount asked for."""

    code = "insufficient_funds"
    title = "Insufficient funds"


class IllegalTransition(Conflict):
    """The status table has no step from the present status to the wanted one."""

    code = "illegal_transition"
    title = "Illegal transition"


class RuleBroken(Refusal):
    """The input is well formed and breaks a rule."""

    status = 422
    code = "rule_broken"
    title = "Rule broken"


class TooManyRequests(Refusal):
    """Asked again too soon; ``retry_after`` says when."""

    status = 429
    code = "too_many_requests"
    title = "Too many requests"
