"""Requests that the OpenAPI document allows, and some it does not, made up by Schemathesis.

Whatever they say, the answer is one that the document lists, in the shape that it lists, and never a
failure of ours.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from pytest_django import DjangoDbBlocker
from rest_framework.authentication import SessionAuthentication
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from config.openapi import document
from ledger.models import User
from tests.api.test_permissions import World, build_world
from tests.conftest import FULL
from tests.undone import undone

EXAMPLES = 60 if FULL else 4
SEED = int(os.environ.get("BURSAR_TEST_SEED", "20261121"))
CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
SCHEMA = schemathesis.openapi.from_dict(document())
HANDLER = WSGIHandler()
OPERATIONS = {
    f"{operation.method.upper()} {operation.path}": operation
    for operation in (found.ok() for found in SCHEMA.get_all_operations() if isinstance(found, Ok))
}


@pytest.fixture(scope="module")
def world(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, redis_server: object
) -> Iterator[World]:
    """One of everything, rolled back in the end; the connection lives through all requests."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    with django_db_blocker.unblock(), undone():
        yield build_world()
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """What a server does: read the whole answer, and close it and the request.

    Werkzeug puts a large upload into a temporary file, which otherwise nobody closes.
    """
    answer = HANDLER(environ, start_response)
    try:
        return [b"".join(answer)]
    finally:
        answer.close()
        environ["wsgi.input"].close()


@contextmanager
def signed_in(user: User) -> Iterator[None]:
    """Let every request be this person's."""
    with patch.object(SessionAuthentication, "authenticate", return_value=(user, None)):
        yield


def requests_for(name: str, world: World) -> st.SearchStrategy[Any]:
    """Requests for one operation, good and bad, mostly about things that exist."""
    operation = OPERATIONS[name]
    modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    made = st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in modes))
    wanted = [parameter.name for parameter in operation.path_parameters]
    known = {one: known_id(world, name, one) for one in wanted}
    return st.tuples(made, st.integers(0, 3)).map(lambda drawn: about(drawn[0], known, drawn[1]))


def known_id(world: World, name: str, parameter: str) -> str | None:
    if parameter == "entry_id":
        parameter = "journal_entry_id" if "journal" in name else "line_id"
    return world.ids.get(parameter)


def about(case: Any, known: dict[str, str | None], chance: int) -> Any:
    for parameter, value in known.items():
        if value is not None and chance:
            case.path_parameters[parameter] = value
    if case.method.upper() == "PATCH" and chance == 1:
        case.headers["Idempotency-Key"] = "honoured, though the document does not say so"
    return case


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_every_answer_is_one_that_the_document_lists(name: str, world: World) -> None:
    people = [world.people["superuser", "own"], world.people["treasurer", "own"]]

    @seed(SEED)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(case=requests_for(name, world), user=st.sampled_from(people))
    def try_it(case: Any, user: User) -> None:
        with undone(), signed_in(user):
            case.call_and_validate(checks=CHECKS, app=application)

    try_it()
