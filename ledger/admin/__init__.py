"""The admin of the books, the organisation and its people."""

from ledger.admin import books, organisation, people, trail, webhooks

__all__ = ["books", "organisation", "people", "trail", "webhooks"]
