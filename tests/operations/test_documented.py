"""docs/operations.md tells what there is: its commands are accepted, its settings are read, its units run."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest
import yaml
from celery import Celery
from django.core.management import get_commands, load_command_class
from django.core.management.base import CommandError

from config.embedded.home import ROOT
from config.embedded.processes import wait_until
from config.embedded.redis import broker_url
from tests.operations.conftest import Site, unit
from tests.servers import Deployment

pytestmark = pytest.mark.xdist_group("operations")

TEXT = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
COMMANDS = sorted(
    set(re.findall(r"manage\.py ([a-z_]+(?: [^`\n]+)?)(?=[`\n])", TEXT.replace("\\\n", " ")))
)
READ = re.compile(
    r"(?:env\.\w+|secret|environ\.get|environ\.setdefault)\(\s*\"([A-Z][A-Z_]+)\"", re.ASCII
)
# What one process tells another, and what tests and Django itself set.
INTERNAL = {
    *("BURSAR_DATABASE_ROLE", "BURSAR_SUPERVISED", "BURSAR_USER_NAMESPACES"),
    *("DJANGO_SETTINGS_MODULE", "BURSAR_SIMULATOR_URL", "BURSAR_TEST_FILES", "CONTENT_LENGTH"),
}


@pytest.mark.parametrize("written", COMMANDS)
def test_a_documented_command_is_accepted(written: str) -> None:
    name, *arguments = shlex.split(re.sub(r"<\w+>", "x", written))
    app = get_commands()[name]
    assert isinstance(app, str)
    parser = load_command_class(app, name).create_parser("manage.py", name)
    # One that is named in passing comes without what it needs.
    with pytest.raises(CommandError, match="required") if not arguments else nullcontext():
        parser.parse_args(arguments)
        if not arguments:
            raise CommandError("nothing is required")


def test_every_setting_is_documented() -> None:
    files = [ROOT / "config" / "settings.py", *(ROOT / "config").rglob("*.py")]
    read = {name for file in files for name in READ.findall(file.read_text(encoding="utf-8"))}
    assert len(read) > 40
    assert {name for name in read - INTERNAL if f"`{name}`" not in TEXT} == set()


def test_the_alerts_ask_for_metrics_that_are_there(site: Site) -> None:
    found = re.search(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    assert found is not None
    rules = yaml.safe_load(found[1])["groups"][0]["rules"]
    shown = site.monitor("/metrics").text
    for rule in rules:
        for metric in re.findall(r"bursar_\w+", rule["expr"]):
            assert f"\n{metric}" in shown or f" {metric} " in shown, metric
        for sign in re.findall(r'sign=~?"([\w|]+)"', rule["expr"]):
            assert all(f'sign="{name}"' in shown for name in sign.split("|"))


ONE = {"--concurrency": "1"}

# --- The units ----------------------------------------------------------------------------------------------


@contextmanager
def running(name: str, deployment: Deployment, **options: str) -> Iterator[Path]:
    """The unit, from this environment's programs and with a folder of its own."""
    command = [
        part.replace("/var/lib/bursar", str(deployment.home)) for part in unit(name, **options)
    ]
    log = deployment.home / f"{name}.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=deployment.environment(),
            stdout=output,
            stderr=output,
        )
    try:
        yield log
    finally:
        process.terminate()
        process.wait(60)


def test_worker_and_beat_run_as_documented_and_show_themselves(
    site: Site, shop: Deployment
) -> None:
    def well(name: str) -> bool:
        return bool(site.monitor("/health/").json()["signs"][name]["state"] == "well")

    with running("beat", shop) as beat, running("worker", shop, **ONE) as worker:
        app = Celery("tests", broker=broker_url(shop.redis_url), set_as_current=False)
        app.conf.broker_transport_options = {"global_keyprefix": "bursar."}
        app.send_task("ledger.show_worker")
        app.close()
        assert wait_until(lambda: well("beat"), seconds=120, every=0.3), beat.read_text()
        assert wait_until(lambda: well("worker"), seconds=120, every=0.3), worker.read_text()
