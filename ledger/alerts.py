"""Telling by mail those who run the installation that something needs them now."""

from django.conf import settings
from django.core.mail import send_mail


def mail_alert(subject: str, text: str) -> None:
    """Mail ``BURSAR_ALERT_MAIL``; nobody is mailed where it is empty. Not within a transaction.

    Raises what the mail server's connection raises: what is alerted about stands in the database too.
    """
    recipients: list[str] = settings.BURSAR_ALERT_MAIL
    if recipients:
        send_mail(f"Bursar: {subject}", text, None, recipients, fail_silently=False)
