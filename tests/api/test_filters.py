"""Filters that are true or false: what is neither is refused by name, in every list of the URL conf."""

from typing import Any

import django_filters
import pytest
from rest_framework.test import APIClient

from ledger.api.filters import BooleanFilter
from ledger.models import User
from ledger.roles import Role
from tests.api.conftest import Calling, Organisation
from tests.api.test_permissions import CONFIGURED

FILTER_SETS: dict[str, Any] = {
    route: filters
    for route, view in CONFIGURED.items()
    if (filters := getattr(view.view_class, "filterset_class", None))
}
TRUE_OR_FALSE = sorted(
    (route, name)
    for route, filters in FILTER_SETS.items()
    for name, one in filters.base_filters.items()
    if isinstance(one, django_filters.BooleanFilter)
)
NEEDS_AN_ID = ("<", "by_fund")
ANYWHERE = [one for one in TRUE_OR_FALSE if not any(mark in one[0] for mark in NEEDS_AN_ID)]


def errors_of(route: str, name: str, value: str) -> list[str]:
    filters = FILTER_SETS[route]({name: value}, queryset=User.objects.none())
    return list(filters.errors)


@pytest.fixture
def auditor(organisation: Organisation, calling: Calling) -> APIClient:
    return calling(organisation.person(Role.AUDITOR))


def test_there_are_such_filters_and_all_of_them_are_those_of_the_house() -> None:
    assert ("api/properties/", "active") in TRUE_OR_FALSE
    assert {type(FILTER_SETS[route].base_filters[name]) for route, name in TRUE_OR_FALSE} == {
        BooleanFilter
    }


@pytest.mark.parametrize(("route", "name"), TRUE_OR_FALSE)
def test_what_is_neither_true_nor_false_is_refused(route: str, name: str) -> None:
    for value in ("perhaps", "2", "None", "null", "yes", "١", "true,false"):
        assert errors_of(route, name, value) == [name], value


@pytest.mark.parametrize(("route", "name"), TRUE_OR_FALSE)
def test_true_and_false_are_taken_and_nothing_asks_for_nothing(route: str, name: str) -> None:
    for value in ("true", "false", "True", "FALSE", "1", "0", ""):
        assert errors_of(route, name, value) == [], value


@pytest.mark.parametrize(("route", "name"), ANYWHERE)
def test_the_refusal_names_the_parameter(auditor: APIClient, route: str, name: str) -> None:
    for value in ("true", "0"):
        assert auditor.get(f"/{route}", {name: value}).status_code == 200
    answer = auditor.get(f"/{route}", {name: "perhaps"})
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [name]
