"""The secrets of a provider, as they stand in its encrypted column."""

import json
from dataclasses import asdict, dataclass, fields


class UnreadableCredentials(ValueError):
    """The provider's stored credentials are incomplete; enter them again."""


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """What the portal gave: the consumer's key and secret, and the initiator's password.

    It has no representation of its own, so that no traceback or log line shows it.
    """

    consumer_key: str
    consumer_secret: str
    initiator_password: str

    def dump(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def load(cls, text: str) -> "Credentials":
        """Read what ``dump`` wrote; raise ``UnreadableCredentials`` when something is missing."""
        try:
            stored = json.loads(text)
            values = [stored[field.name] for field in fields(cls)]
        except (ValueError, KeyError, TypeError):
            raise UnreadableCredentials("The stored credentials cannot be read.") from None
        if not all(isinstance(value, str) and value for value in values):
            raise UnreadableCredentials("The stored credentials are incomplete.")
        return cls(*values)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The texts that must appear in no log."""
        return (self.consumer_key, self.consumer_secret, self.initiator_password)
