"""The roles a membership can give, as the contract names them."""

from django.db import models


class Role(models.TextChoices):
    REQUESTER = "requester", "Requester"
    APPROVER = "approver", "Approver"
    CFO = "cfo", "CFO"
    TREASURER = "treasurer", "Treasurer"
    RECONCILER = "reconciler", "Reconciler"
    AUDITOR = "auditor", "Auditor"
    OWNER = "owner", "Owner"


# Everybody but an owner works for the organisation and may read what it does; an owner sees his own.
READING_ROLES = frozenset(Role) - {Role.OWNER}
