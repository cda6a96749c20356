"""Text messages: handed to any gateway that takes one HTTP request, or written into the mail folder.

The settings say where (``SMS_URL``), how (``SMS_FORMAT`` json or form), under which names (``SMS_FIELDS``)
and with which headers (``SMS_HEADERS``). Without an address each message is a file, like a demo's mail.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx
from django.conf import settings
from django.core.mail import EmailMessage, get_connection

DEADLINE_S = 10.0


class SmsNotSent(RuntimeError):
    """The gateway did not take the message; says why, and nothing of what it was."""


def send_sms(*, to: str, text: str) -> None:
    """Hand a text to the gateway; ``to`` is E.164. Raises ``SmsNotSent``."""
    if not settings.SMS_URL:
        _write_down(to, text)
        return
    loop = asyncio.new_event_loop()
    try:
        status = loop.run_until_complete(_with_deadline(_fields(to, text)))
    except TimeoutError:
        raise SmsNotSent("The SMS gateway did not answer in time.") from None
    except httpx.HTTPError as failure:
        raise SmsNotSent(f"The SMS gateway cannot be reached: {type(failure).__name__}.") from None
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        # Not asyncio.run: it would wait for a name look-up that hangs beyond the deadline.
        loop.close()
    if not 200 <= status < 300:
        raise SmsNotSent(f"The SMS gateway answered {status}.")


def _fields(to: str, text: str) -> dict[str, str]:
    """The message under the names that the gateway wants."""
    names: Mapping[str, str] = settings.SMS_FIELDS
    known = {"to": to, "text": text, "sender": settings.SMS_SENDER}
    return {names.get(name, name): value for name, value in known.items() if value}


async def _with_deadline(fields: dict[str, str]) -> int:
    form = settings.SMS_FORMAT == "form"
    content: dict[str, Any] = {"data": fields} if form else {"json": fields}
    async with (
        asyncio.timeout(getattr(settings, "SMS_DEADLINE_S", DEADLINE_S)),
        httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=DEADLINE_S) as client,
        client.stream(
            "POST", settings.SMS_URL, headers=dict(settings.SMS_HEADERS), **content
        ) as answer,
    ):
        return answer.status_code


def _write_down(to: str, text: str) -> None:
    folder = get_connection("config.mail.FolderBackend")
    EmailMessage(subject="SMS", body=text, to=[to], connection=folder).send()
