"""The shapes of the API's views: a list, one object, something made, edited or done.

A view names its rows, what goes in and what comes out, and makes one domain call; the order in which
refusals are tried is kept here.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Model, QuerySet
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.exceptions import APIException
from rest_framework.exceptions import ValidationError as InvalidParameter
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from ledger.actor import Actor, Origin
from ledger.api.documentation import Documentation
from ledger.api.filters import Filtering, Ordering
from ledger.api.idempotent import answer_once, has_no_bad_key
from ledger.api.serializers import AuditEventSerializer, NoInput
from ledger.audit import history_of
from ledger.commands import refusals_recorded
from ledger.downloads import file_answer
from ledger.encryption import blind_index
from ledger.exports import CONTENT_TYPES, Export, write_export
from ledger.models import AuditEvent, User
from ledger.refusals import NotFound, RoleRequired


def user_of(request: Request) -> User:
    """Return the signed-in person behind a request that passed authentication."""
    assert isinstance(request.user, User)
    return request.user


def origin_of(request: Request) -> Origin:
    """Return from where a request comes."""
    return {
        "ip_address": request.META.get("REMOTE_ADDR") or None,
        "user_agent": request.META.get("HTTP_USER_AGENT", ""),
        "request_id": request.META.get("HTTP_X_REQUEST_ID", ""),
        "carrier": _carrier_of(request),
    }


def _carrier_of(request: Request) -> str:
    """The keyed hash of the token, or of the browser's session, that the request comes with."""
    digest = getattr(request.auth, "digest", None)
    if digest:
        return blind_index(f"token:{digest}")
    key = getattr(getattr(request, "session", None), "session_key", None)
    return blind_index(f"session:{key}") if key else ""


def actor_of(request: Request) -> Actor:
    """Return who asks, from where, as commands and the audit trail want to know."""
    return Actor.of(user_of(request), **origin_of(request))


class Resource(GenericAPIView):
    """One address.

    ``rows`` is a selector: what a user may see. ``Output`` writes one of them. ``key`` is the name of the
    id in the path, ``Query`` reads the parameters of a report. ``refusals`` says, for the documentation,
    which codes come with which status.
    """

    Output: ClassVar[Any]
    key: ClassVar[str] = ""
    Query: ClassVar[type[serializers.Serializer] | None] = None
    refusals: ClassVar[dict[int, str]] = {}
    filter_backends: Any = ()
    filterset_class: Any = None
    schema = Documentation()

    @staticmethod
    def rows(user: User) -> QuerySet[Any]:
        """Return what the user may see; each view names its selector."""
        raise AssertionError("each view names its selector")

    @property
    def user(self) -> User:
        return user_of(self.request)

    @property
    def actor(self) -> Actor:
        return actor_of(self.request)

    def get_queryset(self) -> QuerySet[Any]:
        if getattr(self, "swagger_fake_view", False):
            model: type[Model] = self.Output.Meta.model
            return model._default_manager.none()
        return self.rows(self.user)

    def found(self) -> Any:
        """Return the object that the path names, if the caller may see it; else 404."""
        return get_object_or_404(self.get_queryset(), pk=self.kwargs[self.key])

    def query(self) -> dict[str, Any]:
        """Return the parameters as ``Query`` reads them; 400 otherwise."""
        assert self.Query is not None
        query = self.Query(data=self.request.query_params)
        query.is_valid(raise_exception=True)
        parameters: dict[str, Any] = query.validated_data
        return parameters

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "user": self.request.user}

    def shown(self, row: Any) -> Any:
        """Return what an answer says about a row."""
        return self.Output(row, context=self.get_serializer_context()).data


class Listing(Resource):
    """``GET``: the rows that the caller may see, filtered, in a stable order, in pages."""

    filter_backends = (Filtering, Ordering)
    ordering: ClassVar[tuple[str, ...]] = ()
    ordering_fields: ClassVar[tuple[str, ...]] = ()
    export: ClassVar[Export | None] = None

    def get(self, request: Request, **path: Any) -> HttpResponseBase:
        if "format" in request.query_params:
            return self._exported(request.query_params["format"])
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        output = self.Output(page, many=True, context=self.get_serializer_context())
        return self.get_paginated_response(output.data)

    def _exported(self, wanted: str) -> HttpResponseBase:
        """Return all the rows that the filters leave as one file; 400 for what there is none of."""
        if self.export is None or wanted not in CONTENT_TYPES:
            formats = "csv or xlsx" if self.export else "JSON alone"
            raise InvalidParameter({"format": [f"This list comes as {formats}."]})
        rows = self.filter_queryset(self.get_queryset())
        return file_answer(write_export(self.export, rows, wanted), self.export, wanted)


class History(Listing):
    """``GET``: what happened to one object and what was refused, oldest first.

    ``noun`` is the app and word by which the audit trail knows the object; ``rows`` decides whether the
    caller may see it at all.
    """

    noun: ClassVar[str]
    Output = AuditEventSerializer
    ordering = ("at", "id")

    def get_queryset(self) -> QuerySet[AuditEvent]:
        if getattr(self, "swagger_fake_view", False):
            return AuditEvent.objects.none()
        row = get_object_or_404(self.rows(self.user), pk=self.kwargs[self.key])
        return history_of(*self.subjects(row))

    def subjects(self, row: Any) -> Sequence[str]:
        """Return the references whose events are the history: the object's own."""
        return (f"{self.noun}:{row.pk}",)


class Showing(Resource):
    """``GET``: one object."""

    def get(self, request: Request, **path: Any) -> Response:
        return Response(self.shown(self.found()))


class Writing(Resource):
    """What making, editing and doing share.

    ``action`` is the command's name, under which a refusal is recorded; ``noun`` the app and word by which
    the audit trail knows the object (``treasury.payment``).
    """

    action: ClassVar[str]
    noun: ClassVar[str] = ""
    Input: ClassVar[type[serializers.Serializer]] = NoInput
    status_code: ClassVar[int] = 200

    def status_of(self, result: Any) -> int:
        return self.status_code

    @staticmethod
    def results(user: User) -> QuerySet[Any] | None:
        """Return the rows that the command's result is one of, where they are others than ``rows``."""
        return None

    def result_shown(self, result: Any) -> Any:
        """Return what the answer says about what the command returned, read anew with all it shows."""
        rows = self.results(self.user)
        return self.shown((self.rows(self.user) if rows is None else rows).get(pk=result.pk))

    def read(self) -> dict[str, Any]:
        """Return the body as the input serializer reads it; 400 otherwise."""
        serializer = self.Input(data=self.request.data, context=self.get_serializer_context())
        serializer.is_valid(raise_exception=True)
        data: dict[str, Any] = serializer.validated_data
        return data

    def before_replay(self) -> None:
        """Refuse where an answer that was kept may not be given again to this person."""

    def answer(self, act: Callable[[], Any]) -> Response:
        """Make the one domain call, once per ``Idempotency-Key``."""
        return answer_once(
            self.request,
            user_id=self.user.pk,
            act=act,
            answer=lambda result: (self.status_of(result), self.result_shown(result)),
            before_replay=self.before_replay,
        )

    @contextmanager
    def recorded(self) -> Iterator[None]:
        """Write a refusal that comes before the command to the audit trail, as commands do theirs."""
        subject = f"{self.noun}:{self.kwargs[self.key]}" if self.key else self.action
        with refusals_recorded(actor=self.actor, action=self.action, subject=subject):
            yield


class Acting(Writing):
    """What changes an object that exists."""

    def permit(self, row: Any) -> None:
        """Raise ``RoleRequired`` or ``SegregationOfDuties`` where this person may never do this."""

    def act(self, row: Any, data: dict[str, Any]) -> Any:
        """Make the domain call and return its result."""
        raise AssertionError("each action says what it does")

    def permitted(self) -> Any:
        """Return the row that the path names, if this person may see it and may do this; else refuse."""
        with self.recorded():
            # Whether he may is decided on the row itself; the answer is read anew with all that it shows.
            rows = self.get_queryset().prefetch_related(None)
            row = rows.filter(pk=self.kwargs[self.key]).first()
            if row is None:
                raise NotFound("There is no such thing.")
            self.permit(row)
        return row

    def perform(self) -> Response:
        row = self.permitted()
        data = self.read()
        return self.answer(lambda: self.act(row, data))


class Doing(Acting):
    """``POST``: something done with an object."""

    def post(self, request: Request, **path: Any) -> Response:
        return self.perform()


class DoingAtOnce(Doing):
    """``POST`` without a body, by a command that itself asks for roles before all else.

    So nothing is asked before the command, but for a request that is to be refused for its form: that is the
    weaker refusal. To whoever may not even see the object, a role that is missing is 404. An answer that was
    kept is given again to whoever may still do this.
    """

    def act_on(self, pk: UUID) -> Any:
        """Make the domain call about the object of this id and return its result."""
        raise AssertionError("each action says what it does")

    def act(self, row: Any, data: dict[str, Any]) -> Any:
        return self.act_on(row.pk)

    def perform(self) -> Response:
        if not self._is_in_form():
            return super().perform()
        pk: UUID = self.kwargs[self.key]
        try:
            return self.answer(lambda: self.act_on(pk))
        except RoleRequired:
            self.found()
            raise

    def before_replay(self) -> None:
        self.permitted()

    def _is_in_form(self) -> bool:
        if not has_no_bad_key(self.request):
            return False
        try:
            return not self.request.data
        except APIException:
            return False


class Editing(Acting):
    """``PATCH``: an object edited."""

    def patch(self, request: Request, **path: Any) -> Response:
        return self.perform()


class Making(Writing):
    """``POST`` on a list: a new object, 201."""

    status_code = 201

    def permit_making(self) -> None:
        """Raise ``RoleRequired`` where this person may make none anywhere, or not at the place named."""

    def make(self, data: dict[str, Any]) -> Any:
        """Make the domain call and return the new object."""
        raise AssertionError("each list says how its objects are made")

    def named(self, field: str) -> Any:
        """Return what a reference in the body names, or None; to ask for a role there before all else."""
        reference = self.Input(context=self.get_serializer_context()).fields[field]
        data = self.request.data
        try:
            return reference.run_validation(data.get(field) if isinstance(data, dict) else None)
        except serializers.ValidationError:
            return None

    def post(self, request: Request, **path: Any) -> Response:
        with self.recorded():
            self.permit_making()
        data = self.read()
        return self.answer(lambda: self.make(data))
