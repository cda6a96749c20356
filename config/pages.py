"""The few pages outside the admin: the front page, the demo's inbox, and what went wrong."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from config import problems
from config.problem_codes import MEANINGS

SHOWN = 50
SIX_DIGITS = re.compile(r"^\s*([0-9]{6})\s*$", re.ASCII | re.MULTILINE)
OF_THE_API = ("/api/", "/core/", "/health")
DEMO_LOGINS = ("requester", "approver", "cfo", "treasurer", "reconciler", "auditor", "admin")


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The front page: where to go, and in a demo as whom."""
    logins = DEMO_LOGINS if settings.BURSAR_DEMO else ()
    return render(request, "home.html", {"demo": settings.BURSAR_DEMO, "logins": logins})


# --- What a problem's type leads to -------------------------------------------------------------------


@require_safe
def problem(request: HttpRequest, code: str) -> HttpResponse:
    """What one code of a problem document means; open to everyone, for it shows nothing of anybody's."""
    meaning = MEANINGS.get(code)
    if meaning is None:
        raise Http404
    text = sentence(meaning.text)
    shown = {"code": code, "status": meaning.status, "text": text}
    return render(request, "problem.html", shown)


@require_safe
def all_problems(request: HttpRequest) -> HttpResponse:
    """What every code means."""
    return render(request, "problems.html", {"meanings": sorted(MEANINGS.items())})


def sentence(text: str) -> str:
    """The text as a sentence, without the marks that documentation puts around code."""
    plain = text.replace("`", "")
    return f"{plain[:1].upper()}{plain[1:]}."


# --- The demo's inbox ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Letter:
    """One message as the inbox shows it; ``code`` is empty in one that brings none."""

    to: str
    subject: str
    sent_at: datetime | None
    body: str
    code: str


@login_required
@require_safe
def demo_inbox(request: HttpRequest) -> HttpResponse:
    """The messages that a demo wrote into its mail folder, newest first; not found anywhere else."""
    if not settings.BURSAR_DEMO:
        raise Http404
    letters = list(_letters(Path(settings.EMAIL_FILE_PATH)))
    return render(request, "inbox.html", {"letters": letters})


def _letters(folder: Path) -> Iterator[Letter]:
    """Read the newest files of the folder; their names sort by time."""
    for path in sorted(folder.glob("*.eml"), reverse=True)[:SHOWN]:
        yield _letter(BytesParser(policy=policy.default).parsebytes(path.read_bytes()))


def _letter(message: EmailMessage) -> Letter:
    part = message.get_body(("plain",))
    body = str(part.get_content()) if part else ""
    found = SIX_DIGITS.search(body)
    return Letter(
        to=str(message.get("To", "")),
        subject=str(message.get("Subject", "")),
        sent_at=_sent_at(message),
        body=body.strip(),
        code=found[1] if found else "",
    )


def _sent_at(message: EmailMessage) -> datetime | None:
    try:
        return parsedate_to_datetime(str(message.get("Date", "")))
    except ValueError:
        return None


# --- What went wrong ----------------------------------------------------------------------------------


def _trouble(request: HttpRequest, status: int, title: str, text: str) -> HttpResponse:
    context = {"title": title, "text": text}
    return render(request, "trouble.html", context, status=status)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith(OF_THE_API):
        return problems.answer(problems.not_found())
    text = "It may never have been there, or it belongs to another organisation."
    return _trouble(request, 404, "There is no such page", text)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    text = "Your role does not allow this here. Nothing was changed."
    return _trouble(request, 403, "You may not do this", text)


def failed(request: HttpRequest, *_: Any) -> HttpResponse:
    if request.path.startswith(OF_THE_API):
        return problems.answer(problems.internal())
    text = (
        "Nothing was half done: what could not be finished was taken back. Try again in a moment."
    )
    return _trouble(request, 500, "Something went wrong", text)


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    text = (
        "This form was open for too long, or was not ours. Go back, load the page again and repeat."
    )
    return _trouble(request, 403, "This could not be accepted", text)
