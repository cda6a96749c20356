"""Migrations make no more classes than they need, and the same database as Django's own way."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from django.db import models
from django.db.migrations.state import ModelState, ProjectState

from config.embedded import postgres
from config.embedded.home import ROOT
from config.migrating import lean_states
from tests import database

KEY = ("id", models.BigAutoField(primary_key=True))
POSITIVE = models.CheckConstraint(condition=models.Q(weight__gt=0), name="positive")


@pytest.fixture
def state() -> Iterator[ProjectState]:
    """A state with owners and their flats, as classes."""
    owner = ModelState("estate", "Owner", [KEY, ("weight", models.IntegerField())])
    whose = models.ForeignKey("estate.Owner", models.PROTECT)
    flat = ModelState("estate", "Flat", [KEY, ("owner", whose)])
    with lean_states():
        begun = ProjectState()
        begun.add_model(owner)
        begun.add_model(flat)
        assert begun.apps.get_models()
        yield begun


def test_a_new_constraint_is_on_its_model(state: ProjectState) -> None:
    state.add_constraint("estate", "owner", POSITIVE)
    assert state.apps.get_model("estate", "owner")._meta.constraints == [POSITIVE]


def test_a_constraint_that_goes_leaves_its_model(state: ProjectState) -> None:
    state.add_constraint("estate", "owner", POSITIVE)
    state.remove_constraint("estate", "owner", "positive")
    assert state.apps.get_model("estate", "owner")._meta.constraints == []


def test_a_new_field_leaves_the_classes_of_other_models(state: ProjectState) -> None:
    flat = state.apps.get_model("estate", "flat")
    state.add_field("estate", "owner", "name", models.TextField(default=""), True)
    assert state.apps.get_model("estate", "owner")._meta.get_field("name")
    assert state.apps.get_model("estate", "flat") is flat


def test_a_default_for_old_rows_alone_is_not_kept(state: ProjectState) -> None:
    state.add_field("estate", "owner", "name", models.TextField(default="?"), False)
    name = state.apps.get_model("estate", "owner")._meta.get_field("name")
    assert not name.has_default()


def test_a_new_model_is_known_to_the_one_it_points_to(state: ProjectState) -> None:
    to = models.ForeignKey("estate.Owner", models.PROTECT)
    state.add_model(ModelState("estate", "Meter", [KEY, ("owner", to)]))
    owner = state.apps.get_model("estate", "owner")
    assert {relation.name for relation in owner._meta.related_objects} == {"flat", "meter"}


def test_code_in_a_migration_finds_models_that_know_each_other(state: ProjectState) -> None:
    state.add_field("estate", "owner", "name", models.TextField(default=""), True)
    state.clear_delayed_apps_cache()  # what a RunPython does first
    owner = state.apps.get_model("estate", "owner")
    assert state.apps.get_model("estate", "flat")._meta.get_field("owner").related_model is owner


def test_djangos_own_way_is_back_afterwards() -> None:
    own = ProjectState.add_model
    with lean_states():
        assert ProjectState.add_model is not own
    assert ProjectState.add_model is own


# --- The whole ----------------------------------------------------------------------------------------

DJANGOS_OWN = (
    "import django; django.setup();"
    "from django.core.management import call_command;"
    "from django.core.management.commands.migrate import Command;"
    "call_command(Command(), verbosity=0)"
)
OURS = "import django; django.setup(); from django.core.management import call_command; call_command('migrate', verbosity=0)"


def dump_of_a_database_made_by(code: str) -> str:
    name = f"made_{os.getpid()}"
    database.CLUSTER.make_database(name)
    url = database.CLUSTER.url(role=postgres.OWNER, database=name)
    told = {"DATABASE_URL": url, "DATABASE_OWNER_URL": url, "BURSAR_DATABASE_ROLE": "owner"}
    told |= {**database.HOME.secrets(), "DJANGO_SETTINGS_MODULE": "tests.settings"}
    told |= {"BURSAR_TEST_FILES": str(database.HOME.path)}
    try:
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=os.environ | told, check=True)
        dump = str(postgres.installed() / "bin" / "pg_dump")
        asked = ["--schema-only", "-h", str(database.CLUSTER.sockets), "-U", postgres.SUPERUSER]
        done = subprocess.run([dump, *asked, name], capture_output=True, text=True, check=True)
    finally:
        database.drop(name)
    # The key of pg_dump's \restrict is made anew each time.
    return "\n".join(row for row in done.stdout.splitlines() if "restrict" not in row)


@pytest.mark.full
def test_the_database_is_the_one_that_django_makes() -> None:
    assert dump_of_a_database_made_by(OURS) == dump_of_a_database_made_by(DJANGOS_OWN)
