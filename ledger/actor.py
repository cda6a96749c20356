"""Who is acting, and from where; passed into every command."""

from dataclasses import dataclass
from typing import NotRequired, Self, TypedDict
from uuid import UUID

from ledger.models import User
from ledger.tracing import request_id


class Origin(TypedDict):
    """From where a request comes, as the audit trail keeps it; ``carrier`` is what it was signed in with."""

    ip_address: str | None
    user_agent: str
    request_id: str
    carrier: NotRequired[str]


@dataclass(frozen=True, slots=True)
class Actor:
    """The person or scheduled job behind a command, with what the audit trail keeps about the request.

    ``carrier`` is the keyed hash of the session or token he comes with, which a step-up is bound to.
    """

    user: User | None
    name: str
    ip_address: str | None = None
    user_agent: str = ""
    request_id: str = ""
    carrier: str = ""

    @classmethod
    def system(cls, name: str) -> Self:
        """A scheduled job, by its name; the request that it is done for comes along."""
        return cls(user=None, name=f"system: {name}", request_id=request_id.get())

    @classmethod
    def of(
        cls,
        user: User,
        *,
        ip_address: str | None = None,
        user_agent: str = "",
        request_id: str = "",
        carrier: str = "",
    ) -> Self:
        """A signed-in person and the request he makes."""
        name = user.get_username()
        return cls(user, name, ip_address, user_agent[:255], request_id[:64], carrier)

    @property
    def user_id(self) -> UUID | None:
        return self.user.pk if self.user else None

    @property
    def is_system(self) -> bool:
        return self.user is None
