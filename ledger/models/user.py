"""A person who signs in."""

import uuid

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q

from ledger.encryption import EncryptedTextField


class User(AbstractUser):
    """A person; what he may do is said by his memberships, never by ``is_staff``.

    ``code_channel`` is how codes reach him; an administrator writes down the phone.
    """

    class Channel(models.TextChoices):
        EMAIL = "email", "E-mail"
        SMS = "sms", "SMS"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    phone = EncryptedTextField(null=True, blank=True)
    code_channel = models.CharField(
        "codes by", max_length=10, choices=Channel.choices, default=Channel.EMAIL
    )

    class Meta(AbstractUser.Meta):
        constraints = (
            models.CheckConstraint(
                condition=Q(code_channel="email") | Q(code_channel="sms", phone__isnull=False),
                name="ledger_user_sms_needs_phone",
            ),
        )

    def __str__(self) -> str:
        return self.get_full_name() or self.username
