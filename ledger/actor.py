"""Who is acting, and from where; passed into every command."""

from dataclasses import dataclass
from typing import Self, TypedDict
from uuid import UUID

from ledger.models import User
from ledger.tracing import request_id


class Origin(TypedDict):
    """From where a request comes, as the audit trail keeps it."""

    ip_address: str | None
    user_agent: str
    request_id: str


@dataclass(frozen=True, slots=True)
class Actor:
    """The person or scheduled job behind a command, with what the audit trail keeps about the request."""

    user: User | None
    name: str
    ip_address: str | None = None
    user_agent: str = ""
    request_id: str = ""

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
    ) -> Self:
        """A signed-in person and the request he makes."""
        return cls(user, user.get_username(), ip_address, user_agent[:255], request_id[:64])

    @property
    def user_id(self) -> UUID | None:
        return self.user.pk if self.user else None

    @property
    def is_system(self) -> bool:
        return self.user is None
