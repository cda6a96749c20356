"""Questions about what waits for a decision, and their answers."""

from typing import Any, ClassVar

from rest_framework import serializers

from ledger.api.fields import TextField
from ledger.api.filters import AwaitingFilter, BooleanFilter, CharFilter, FilterSet
from ledger.api.resource import Doing, Listing, Showing
from ledger.api.serializers import Input, Output
from treasury import duties
from treasury.awaiting import (
    questions_awaiting,
)
from treasury.models import Question
from treasury.selectors import (
    questions_seen_by,
    replenishments_seen_by,
    requisitions_seen_by,
    variances_seen_by,
)
from treasury.services.questions import answer_question, ask, may_answer


class QuestionSerializer(Output):
    """A question about ``subject``; ``answer`` is empty until it is answered."""

    asked_by_name = serializers.CharField(source="asked_by", read_only=True)

    class Meta:
        model = Question
        fields = (
            "question_id", "company", "subject", "text", "asked_by", "asked_by_name", "asked_of",
            "asked_at", "mailed_at", "answer", "answered_at",
        )  # fmt: skip


class QuestionInput(Input):
    text = TextField(max_length=2000)


class AnswerInput(Input):
    answer = TextField(max_length=2000)


class QuestionFilter(FilterSet):
    subject = CharFilter("subject")
    answered = BooleanFilter("answered_at", "isnull", exclude=True)
    awaiting = AwaitingFilter(questions_awaiting)


class QuestionList(Listing):
    """List the questions that the caller asked or was asked, newest first."""

    rows, Output = staticmethod(questions_seen_by), QuestionSerializer
    filterset_class = QuestionFilter
    ordering = ("-asked_at", "-question_id")


class QuestionDetail(Showing):
    """Show a question that the caller asked or was asked."""

    rows, key, Output = staticmethod(questions_seen_by), "question_id", QuestionSerializer


class QuestionAnswer(Doing):
    """Answer a question, once: by whoever was asked."""

    rows, key, noun = staticmethod(questions_seen_by), "question_id", "treasury.question"
    action, Input, Output = "question.answer", AnswerInput, QuestionSerializer
    refusals = {403: "role_required", 409: "already_answered"}

    def permit(self, row: Question) -> None:
        may_answer(self.actor, row)

    def act(self, row: Question, data: dict[str, Any]) -> Question:
        return answer_question(actor=self.actor, question_id=row.pk, **data)


class Asking(Doing):
    """A question to whoever made a request, by whoever may decide it."""

    kind: ClassVar[str]
    results = staticmethod(questions_seen_by)
    action, Input, Output, status_code = "question.ask", QuestionInput, QuestionSerializer, 201
    refusals = {403: "role_required, segregation_of_duties", 409: "nobody_to_ask"}

    def act(self, row: Any, data: dict[str, Any]) -> Question:
        return ask(actor=self.actor, kind=self.kind, subject_id=row.pk, **data)


class RequisitionAsk(Asking):
    """Ask the requester about a requisition; nothing waits for the answer."""

    kind, rows = "requisition", staticmethod(requisitions_seen_by)
    key, noun = "requisition_id", "treasury.requisition"

    def permit(self, row: Any) -> None:
        duties.may_approve_requisition(self.actor, row)


class VarianceAsk(Asking):
    """Ask whoever recorded a variance about it; nothing waits for the answer."""

    kind, rows = "variance", staticmethod(variances_seen_by)
    key, noun = "variance_id", "treasury.variance"

    def permit(self, row: Any) -> None:
        duties.may_approve_variance(self.actor, row)


class ReplenishmentAsk(Asking):
    """Ask the treasurer about a replenishment; nothing waits for the answer."""

    kind, rows = "replenishment", staticmethod(replenishments_seen_by)
    key, noun = "request_id", "treasury.replenishment"

    def permit(self, row: Any) -> None:
        duties.may_approve_replenishment(self.actor, row)
