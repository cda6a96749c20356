"""``python -m tests.benchmarks [--entries N] [--rounds N]``: set a cluster up, measure, print a table."""

import argparse
import itertools
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from tests.benchmarks.figures import HEADINGS, Figure, markdown, row, write

NUMBERS = itertools.count(1)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument(
        "--entries",
        type=int,
        default=200_000,
        help="entries of the large account (200000; try 1000000)",
    )
    parser.add_argument("--rounds", type=int, default=5, help="rounds that are compared (5)")
    parser.add_argument(
        "--batch", type=int, default=10_000, help="payments that are settled at once (10000)"
    )
    parser.add_argument(
        "--payments",
        type=int,
        default=200_000,
        help="payments in the long lists (200000; try 1000000)",
    )
    parser.add_argument(
        "--into",
        type=Path,
        default=Path(".pytest_cache/bench"),
        help="folder for bench.json and bench.md (.pytest_cache/bench)",
    )
    return parser.parse_args()


@contextmanager
def database() -> Iterator[str]:
    """A migrated database in a cluster of its own, which is as careful about its data as a real one."""
    home = (
        Path(os.environ.get("BURSAR_TEST_HOME", ".pytest_cache/bursar")).absolute() / "benchmarks"
    )
    os.environ["BURSAR_TEST_HOME"] = str(home)
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    os.environ["LOG_LEVEL"] = "WARNING"  # a line for each request would hide the table
    import django

    django.setup()
    from django.db import connection

    from tests import database
    from tests.settings import FILES

    database.CLUSTER = replace(database.CLUSTER, careless=False)
    name = f"benchmark_{os.getpid()}_{next(NUMBERS)}"
    with database.start(), _redis(FILES):
        try:
            database.create(name)
            connection.settings_dict["NAME"] = name
            connection.settings_dict["OPTIONS"].pop("options", None)  # seeding takes its time
            yield name
        finally:
            connection.close()
            database.drop(name)
            shutil.rmtree(FILES, ignore_errors=True)


@contextmanager
def _redis(folder: Path) -> Iterator[None]:
    """The Redis in which the web counts who asks how often."""
    from config.embedded import processes
    from config.embedded.redis import Redis

    folder.mkdir(parents=True, exist_ok=True)
    server = Redis(data=folder, socket=folder / "redis.sock", careless=True)
    with (folder / "redis.log").open("w") as log:
        process = server.start(output=log.fileno())
    try:
        assert processes.wait_until(server.is_ready, seconds=10), "Redis does not answer"
        yield
    finally:
        process.terminate()
        process.wait(10)


def main() -> None:
    chosen = arguments()
    figures: list[Figure] = []
    say(row(HEADINGS))
    with database() as name:
        from tests.benchmarks import paying

        for figure in paying.measure(name, rounds=chosen.rounds, batch=chosen.batch):
            figures.append(figure)
            say(row(figure.cells()))
    with database() as name:
        from tests.benchmarks import lists

        for figure in lists.measure(name, payments=chosen.payments, rounds=chosen.rounds):
            figures.append(figure)
            say(row(figure.cells()))
    with database() as name:
        from tests.benchmarks import measures

        for figure in measures.measure(name, entries=chosen.entries, rounds=chosen.rounds):
            figures.append(figure)
            say(row(figure.cells()))
    with database() as name:
        from tests.benchmarks import sharing

        for figure in sharing.measure(name, rounds=chosen.rounds):
            figures.append(figure)
            say(row(figure.cells()))
    say("\n" + markdown(figures) + "\n")
    write(figures, chosen.into)
    say(f"Written to {chosen.into}/bench.md and bench.json.")


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
