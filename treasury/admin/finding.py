"""Finding encrypted destinations: only whole ones, by their keyed hash."""

from django.db.models import Q

from ledger.encryption import blind_index
from ledger.phones import normalise_phone
from ledger.refusals import InvalidInput


def by_destination(asked: str) -> Q:
    """What goes to this phone or account; nothing for an empty question."""
    if not asked:
        return Q()
    found = Q(destination_index=blind_index(asked))
    try:
        return found | Q(destination_index=blind_index(normalise_phone(asked)))
    except InvalidInput:
        return found
