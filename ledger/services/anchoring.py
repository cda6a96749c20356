"""Publishing the heads of the chain: to the anchor file every five minutes, by mail every day."""

from django.conf import settings
from django.core.mail import send_mail

from ledger import anchors
from ledger.clock import database_now
from ledger.models import Account


def publish_heads() -> int:
    """Append the head of every account that has moved since it was last published; return how many."""
    at = database_now().isoformat(timespec="milliseconds")
    moved = Account.objects.filter(entry_count__gt=0).order_by("id")
    rows = moved.values_list("id", "entry_count", "chain_head").iterator()
    return anchors.publish(
        anchors.Head(account_id, entries, bytes(head).hex(), at)
        for account_id, entries, head in rows
    )


def mail_heads() -> int:
    """Mail the newest published seal to ``BURSAR_ANCHOR_MAIL``; return how many people it went to.

    The seal covers every line of the file before it, so that a copy in a mailbox proves the whole file.
    """
    recipients: list[str] = settings.BURSAR_ANCHOR_MAIL
    published = anchors.read()
    if not recipients or not published.last_seal:
        return 0
    send_mail(
        "Bursar: head of the ledger",
        f"Accounts published: {len(published.heads)}\nSeal of the anchor file: {published.last_seal}\n\n"
        "Keep this message. `manage.py verify_ledger --seal <seal>` holds the ledger against the anchor"
        " file, and the file against this message.\n",
        None,
        recipients,
    )
    return len(recipients)
