"""Errors reach clients as RFC 9457 problem documents."""

import json
from typing import Any

import psycopg
import pytest
from django.db import OperationalError
from django.http import Http404
from django.test import Client
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from ledger.refusals import InsufficientFunds, InvalidInput, TooManyRequests

factory = APIRequestFactory()


class Line(serializers.Serializer):
    amount = serializers.DecimalField(max_digits=6, decimal_places=2)


class Document(serializers.Serializer):
    name = serializers.CharField()
    lines = Line(many=True)


class Echo(APIView):
    """Reads a document and answers with it."""

    authentication_classes = ()
    permission_classes = ()

    def post(self, request: Request) -> Response:
        document = Document(data=request.data)
        document.is_valid(raise_exception=True)
        return Response(document.data)


def answer_to(body: bytes | str, *, content_type: str = "application/json") -> Any:
    return Echo.as_view()(factory.post("/", body, content_type=content_type)).render()


def problem_of(error: Exception) -> tuple[Any, dict[str, Any]]:
    class Failing(APIView):
        authentication_classes = ()
        permission_classes = ()

        def get(self, request: Request) -> Response:
            raise error

    response = Failing.as_view()(factory.get("/")).render()
    return response, json.loads(response.content)


def test_a_refusal_carries_its_status_code_and_words() -> None:
    response, problem = problem_of(InsufficientFunds("The fund has 10.00 available."))
    assert response.status_code == 409
    assert response["Content-Type"] == "application/problem+json"
    assert problem == {
        "type": "/problems/insufficient_funds/",
        "title": "Insufficient funds",
        "status": 409,
        "detail": "The fund has 10.00 available.",
        "code": "insufficient_funds",
    }


def test_a_refused_field_is_named() -> None:
    _, problem = problem_of(InvalidInput.on("amount", "Too precise.", code="amount_precision"))
    assert (problem["status"], problem["code"]) == (400, "amount_precision")
    assert problem["errors"] == {"amount": ["Too precise."]}


def test_a_refusal_that_passes_says_when_to_ask_again() -> None:
    response, _ = problem_of(TooManyRequests("Wait.", retry_after=42))
    assert (response.status_code, response["Retry-After"]) == (429, "42")


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Http404(), 404, "not_found"),
        (exceptions.NotFound(), 404, "not_found"),
        (exceptions.MethodNotAllowed("PUT"), 405, "method_not_allowed"),
        (exceptions.PermissionDenied(), 403, "permission_denied"),
        (exceptions.NotAuthenticated(), 403, "not_authenticated"),
        (exceptions.Throttled(wait=3), 429, "too_many_requests"),
    ],
)
def test_what_the_framework_refuses_is_a_problem_too(
    error: Exception, status: int, code: str
) -> None:
    response, problem = problem_of(error)
    assert (response.status_code, problem["status"], problem["code"]) == (status, status, code)


def test_an_unexpected_failure_tells_nothing_of_the_inside() -> None:
    response, problem = problem_of(RuntimeError("password=hunter2"))
    assert response.status_code == 500
    assert problem["code"] == "internal_error"
    assert "hunter2" not in response.content.decode()


@pytest.mark.parametrize(
    ("cause", "status"),
    [
        (psycopg.OperationalError("connection refused"), 503),
        (psycopg.errors.AdminShutdown(), 503),
        (psycopg.errors.QueryCanceled(), 500),
    ],
)
def test_a_database_that_is_away_is_no_failure_of_ours_and_comes_back(
    cause: Exception, status: int
) -> None:
    error = OperationalError("dbname=secret")
    error.__cause__ = cause
    response, problem = problem_of(error)
    assert (response.status_code, response.get("Retry-After")) == (
        status,
        "2" if status == 503 else None,
    )
    assert problem["code"] == ("unavailable" if status == 503 else "internal_error")
    assert "secret" not in response.content.decode()


def test_errors_in_a_list_name_their_place() -> None:
    response = answer_to(json.dumps({"lines": [{"amount": "1.00"}, {"amount": "x"}]}))
    assert set(json.loads(response.content)["errors"]) == {"name", "lines.1.amount"}


def test_a_fields_own_code_becomes_the_problems() -> None:
    error = serializers.ValidationError({"amount": ["Too precise."]}, code="amount_precision")
    assert problem_of(error)[1]["code"] == "amount_precision"


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"",
        b"\xff\xfe",
        b'{"name": NaN}',
        b'{"name": 1, "name": 2}',
        b"[" * 100_000,
        b'{"name": ' + b"9" * 5000 + b"}",
        b'"' + b"a" * 1_100_000 + b'"',
        b"[1, 2]",
        b"null",
    ],
    ids=lambda body: repr(body[:20]),
)
def test_a_body_that_cannot_be_read_is_a_400_on_body(body: bytes) -> None:
    response = answer_to(body)
    problem = json.loads(response.content)
    assert response.status_code == 400
    assert set(problem["errors"]) <= {"body", "name", "lines"}
    assert body in {b"", b"null"} or set(problem["errors"]) == {"body"}


def test_a_body_of_another_type_is_a_400_on_body() -> None:
    response = answer_to("name=x", content_type="text/plain")
    assert (response.status_code, set(json.loads(response.content)["errors"])) == (400, {"body"})


def test_a_json_fraction_is_read_as_a_decimal() -> None:
    response = answer_to('{"name": "x", "lines": [{"amount": 0.10}]}')
    assert json.loads(response.content)["lines"] == [{"amount": "0.10"}]


def test_without_a_token_the_answer_is_401_and_says_how(client: Client) -> None:
    response = client.get("/api/ledger/accounts/")
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Token"
    assert response.json()["code"] == "not_authenticated"


def test_an_address_that_is_not_there_is_a_problem(client: Client) -> None:
    response = client.get("/api/nothing/")
    assert (response.status_code, response.json()["code"]) == (404, "not_found")
