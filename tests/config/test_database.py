"""The roles, as the embedded cluster sets them up."""

import psycopg
import pytest
from django.contrib.auth import get_user_model
from django.db import connection


@pytest.mark.django_db
def test_the_application_runs_as_a_role_that_owns_nothing() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, rolsuper FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == ("bursar_app", False)
        cursor.execute("SELECT count(*) FROM pg_tables WHERE tableowner = current_user")
        assert cursor.fetchone() == (0,)


def test_the_application_cannot_change_a_table(runtime_connection: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        runtime_connection.execute("ALTER TABLE ledger_user DROP COLUMN email")


@pytest.mark.parametrize("turn", [1, 2])
def test_what_a_test_commits_is_gone_in_the_next(turn: int, transactional_db: None) -> None:
    assert get_user_model().objects.count() == 0
    get_user_model().objects.create_user("somebody")


def test_what_migrations_wrote_stays(superuser_connection: psycopg.Connection) -> None:
    row = superuser_connection.execute("SELECT count(*) > 0 FROM django_migrations").fetchone()
    assert row == (True,)
