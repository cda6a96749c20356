"""The pg_dump and pg_restore that fit a server: of its own major version, neither older nor newer."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from config.backups import BackupError
from config.embedded import postgres

VERSION = re.compile(r"\(PostgreSQL\) (\d+)")


def fitting(name: str, *, major: int) -> Path:
    """Return the program of this major version; raise ``BackupError`` naming those that were found.

    Looked for in ``BURSAR_PG_BIN``, on the path, where Debian keeps it, and in the embedded server's wheel.
    """
    found: list[str] = []
    for path in _candidates(name, major):
        version = _major_of(path)
        if version == major:
            return path
        if version:
            found.append(f"{version} ({path})")
    others = f"; found are {', '.join(found)}" if found else ""
    raise BackupError(
        f"The server is PostgreSQL {major}, and {name} must be too{others}. Install"
        f" postgresql-client-{major}, or set BURSAR_PG_BIN to the folder that has it."
    )


def _candidates(name: str, major: int) -> Iterator[Path]:
    folders = [os.environ.get("BURSAR_PG_BIN", ""), f"/usr/lib/postgresql/{major}/bin"]
    on_path = shutil.which(name)
    folders += [str(Path(on_path).parent)] if on_path else []
    folders.append(str(postgres.installed() / "bin"))
    for folder in folders:
        if folder and (path := Path(folder) / name).exists():
            yield path


def _major_of(path: Path) -> int:
    told = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    match = VERSION.search(told.stdout)
    return int(match[1]) if match else 0


def run(program: Path, *arguments: str, url: str) -> str:
    """Run the program on the database at ``url`` and return what it printed.

    The password is in its environment, never in its command line, which every user of the machine may read.
    """
    parts: dict[str, Any] = conninfo_to_dict(url)
    password = parts.pop("password", None)
    environment = {**os.environ, **({"PGPASSWORD": str(password)} if password else {})}
    done = subprocess.run(  # noqa: S603 -- a program of PostgreSQL's, found above
        [program, "--no-password", f"--dbname={make_conninfo(**parts)}", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BackupError(f"{program.name} failed:\n{done.stderr.strip()[-2000:]}")
    return done.stdout
