"""Mail where there is no mail server: one `.eml` file per message in a folder."""

import os
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.message import EmailMessage


class FolderBackend(BaseEmailBackend):
    """Writes each message to ``EMAIL_FILE_PATH``, whole or not at all; names sort by time."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        folder = Path(settings.EMAIL_FILE_PATH)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for message in email_messages:
            stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
            final = folder / f"{stamp}-{uuid.uuid4().hex[:8]}.eml"
            draft = final.with_suffix(".new")
            with os.fdopen(
                os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb"
            ) as file:
                file.write(message.message().as_bytes())
            draft.rename(final)
        return len(email_messages)
