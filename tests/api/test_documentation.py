"""The OpenAPI document: complete, valid in itself, and readable without the net."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

PROBLEM = "application/problem+json"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return make()


def make() -> dict[str, Any]:
    generator: Any = SchemaGenerator
    document: dict[str, Any] = generator().get_schema(request=None, public=True)
    return document


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, verbs in document["paths"].items():
        for verb, operation in verbs.items():
            yield path, verb, operation


def test_the_document_is_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")


def test_the_document_is_made_without_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    make()
    assert capsys.readouterr().err == ""


def test_every_operation_says_what_it_does_and_what_it_answers(document: dict[str, Any]) -> None:
    for path, verb, operation in operations(document):
        assert operation.get("summary"), (path, verb)
        done = [code for code in operation["responses"] if code.startswith("2")]
        assert done, (path, verb)


def test_every_operation_has_a_name_of_its_own(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(names) == len(set(names))


def test_every_refusal_is_a_problem_document(document: dict[str, Any]) -> None:
    for path, verb, operation in operations(document):
        for code, answer in operation["responses"].items():
            if code >= "400":
                assert list(answer["content"]) == [PROBLEM], (path, verb, code)


def test_every_operation_but_the_open_ones_may_be_401(document: dict[str, Any]) -> None:
    for path, verb, operation in operations(document):
        if "/callbacks/" not in path and path != "/api/schema/":
            assert "401" in operation["responses"], (path, verb)


def test_every_operation_on_an_object_may_be_404(document: dict[str, Any]) -> None:
    for path, verb, operation in operations(document):
        if "{" in path:
            assert "404" in operation["responses"], (path, verb)


def test_every_list_names_its_parameters(document: dict[str, Any]) -> None:
    lists = 0
    for path, verb, operation in operations(document):
        answer = operation["responses"].get("200", {}).get("content", {})
        schema = str(answer.get("application/json", {}).get("schema", {}))
        if verb == "get" and "Paginated" in schema:
            names = {parameter["name"] for parameter in operation["parameters"]}
            assert names >= {"cursor", "page_size"}, path
            lists += 1
    assert lists >= 18


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    known = document["components"]["schemas"]
    for name in re.findall(r"#/components/schemas/(\w+)", str(document)):
        assert name in known


def test_the_schema_and_its_pages_are_open_to_everyone(db: None) -> None:
    assert APIClient().get("/api/schema/").status_code == 200
    assert Client().get("/api/docs/").status_code == 200


def test_the_pages_load_nothing_from_elsewhere(db: None) -> None:
    page = Client().get("/api/docs/").content.decode()
    addresses = re.findall(r"""(?:src|href)=["']([^"']+)""", page)
    assert addresses
    assert [address for address in addresses if not address.startswith("/")] == []
