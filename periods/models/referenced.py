"""The name under which the audit trail and the ledger know a row."""

from typing import ClassVar
from uuid import UUID


class Referenced:
    """A row that has a reference such as ``periods.expense:<id>``; ``noun`` is the word in it."""

    noun: ClassVar[str]
    id: UUID

    @property
    def reference(self) -> str:
        return f"periods.{self.noun}:{self.id}"
