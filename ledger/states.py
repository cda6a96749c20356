"""The statuses of the ledger's own machines, and which may follow which."""

from collections.abc import Mapping, Set

from django.db import models

Transitions = Mapping[str, Set[str]]


class DeliveryStatus(models.TextChoices):
    PENDING = "pending", "Pending"
    DELIVERED = "delivered", "Delivered"
    DEAD = "dead", "Given up"


DELIVERY: Transitions = {
    "": {"pending"},
    "pending": {"delivered", "dead"},
    # Sent once more because somebody asked for it.
    "delivered": {"pending"},
    "dead": {"pending"},
}
