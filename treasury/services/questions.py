"""Questions: an approver asks whoever made a request, and goes on when he has his answer."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from ledger import audit
from ledger.actor import Actor
from ledger.clock import database_now
from ledger.commands import after_commit, command
from ledger.models import User
from ledger.refusals import Conflict, NotFound, RoleRequired
from treasury import duties, locks
from treasury.messages import send_question
from treasury.models import Question, ReplenishmentRequest, Requisition, VarianceAdjustment
from treasury.queue import wake
from treasury.texts import require_text

MOST_AT_ONCE = 100
May = Callable[[Actor, Any], object]


class NobodyToAsk(Conflict):
    """A fund asked by itself: there is nobody behind it who could answer."""

    code = "nobody_to_ask"
    title = "Nobody to ask"


class AlreadyAnswered(Conflict):
    """The question has its answer, which stands."""

    code = "already_answered"
    title = "Already answered"


@dataclass(frozen=True, slots=True)
class Matter:
    """What a question is about: the request, who may decide it, and who made it."""

    row: Requisition | VarianceAdjustment | ReplenishmentRequest
    may: May
    made_by: User | None


def _requisition(pk: UUID) -> Matter | None:
    row = Requisition.objects.select_related("fund", "requested_by").filter(pk=pk).first()
    return Matter(row, duties.may_approve_requisition, row.requested_by) if row else None


def _variance(pk: UUID) -> Matter | None:
    rows = VarianceAdjustment.objects.select_related("payment__fund", "recorded_by")
    row = rows.filter(pk=pk).first()
    return Matter(row, duties.may_approve_variance, row.recorded_by) if row else None


def _replenishment(pk: UUID) -> Matter | None:
    rows = ReplenishmentRequest.objects.select_related("fund", "requested_by")
    row = rows.filter(pk=pk).first()
    return Matter(row, duties.may_approve_replenishment, row.requested_by) if row else None


MATTERS: dict[str, Callable[[UUID], Matter | None]] = {
    "requisition": _requisition,
    "variance": _variance,
    "replenishment": _replenishment,
}


@command("question.ask")
def ask(*, actor: Actor, kind: str, subject_id: UUID, text: str) -> Question:
    """Ask whoever made a request something about it; he gets a mail, and nothing else changes.

    ``kind`` is one of ``MATTERS``. By whoever may decide the request. Raises ``NotFound``, ``RoleRequired``,
    ``SegregationOfDuties``, ``InvalidInput``, ``NobodyToAsk``.
    """
    matter = MATTERS[kind](subject_id)
    if matter is None:
        raise NotFound(f"There is no such {kind}.")
    matter.may(actor, matter.row)
    text = require_text(text, field="text")
    if actor.user is None:
        raise RoleRequired("A question is asked by a person.")
    if matter.made_by is None:
        raise NobodyToAsk("The fund asked by itself; there is nobody to answer.")
    question = Question(
        company_id=matter.row.company_id,
        subject=matter.row.reference,
        text=text,
        asked_by=actor.user,
        asked_of=matter.made_by,
    )
    question.save(force_insert=True)
    question.refresh_from_db(fields=["asked_at"])
    _record(actor, "question.ask", question, {"question": text})
    after_commit(lambda: wake("mail_questions"))
    return question


@command("question.answer")
def answer_question(*, actor: Actor, question_id: UUID, answer: str) -> Question:
    """Answer a question, once; by whom it was asked of. Whoever asked sees it beside the request.

    Raises ``NotFound``, ``RoleRequired``, ``InvalidInput``, ``AlreadyAnswered``.
    """
    question = locks.lock_question(question_id)
    may_answer(actor, question)
    text = require_text(answer, field="answer")
    if question.answered_at is not None:
        raise AlreadyAnswered("This question has been answered.")
    question.answer = text
    question.answered_at = database_now()
    question.save(update_fields=["answer", "answered_at"])
    _record(actor, "question.answer", question, {"answer": text})
    return question


def may_answer(actor: Actor, question: Question) -> None:
    """Only the person who was asked."""
    if actor.user_id != question.asked_of_id:
        raise RoleRequired("This question was asked of somebody else.")


def mail_questions() -> int:
    """Mail the questions that have not been mailed, each once; returns how many left.

    A message is marked before it leaves and unmarked where the mail server refuses it, so that two sweepers
    never send the same; the question shows on the approvals page in any case.
    """
    sent = 0
    for question_id in _claim():
        question = Question.objects.select_related("asked_by", "asked_of").get(pk=question_id)
        try:
            send_question(question)
        except OSError:
            Question.objects.filter(pk=question_id).update(mailed_at=None)
            raise
        sent += 1
    return sent


def _claim() -> list[UUID]:
    """Mark what is to be mailed, committed, and return it."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE treasury_question SET mailed_at = ledger_clock() WHERE question_id IN (
                SELECT question_id FROM treasury_question WHERE mailed_at IS NULL
                ORDER BY asked_at LIMIT %s FOR UPDATE SKIP LOCKED)
            RETURNING question_id
            """,
            [MOST_AT_ONCE],
        )
        return [row[0] for row in cursor.fetchall()]


def _record(actor: Actor, action: str, question: Question, facts: dict[str, Any]) -> None:
    """Write it to the trail of the request that it is about, where people look for it."""
    audit.record(
        actor=actor,
        action=action,
        subject=question.subject,
        company_id=question.company_id,
        after={"question_id": str(question.pk), **facts},
    )
