"""Preparing an empty database on a server of your own: two roles, the database, what each may do there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from config.embedded.postgres import RUNTIME

OLDEST_SERVER = 150000
# The chain's key is a parameter of statements; a server that logged parameters would write it down.
QUIET = ("log_parameter_max_length", "log_parameter_max_length_on_error")
RIGHTS_ON_NEW = (
    "SELECT, INSERT, UPDATE, DELETE ON TABLES",
    "USAGE, SELECT ON SEQUENCES",
    "EXECUTE ON FUNCTIONS",
)


class PreparationError(Exception):
    """The database cannot be prepared; the message says what to change."""


@dataclass(frozen=True, slots=True)
class Login:
    """A role and its password, and the database it is for, as an address names them."""

    role: str
    password: str
    database: str

    @classmethod
    def of(cls, url: str, *, variable: str) -> Login:
        """Read an address; raise ``PreparationError`` naming the variable when a part is missing."""
        try:
            parts = conninfo_to_dict(url)
        except psycopg.ProgrammingError as error:
            raise PreparationError(f"{variable} cannot be read as an address.") from error
        if not parts.get("user") or not parts.get("dbname"):
            raise PreparationError(f"{variable} must name a role and a database.")
        return cls(str(parts["user"]), str(parts.get("password") or ""), str(parts["dbname"]))


def prepare(*, admin_url: str, owner: Login, runtime: Login) -> list[str]:
    """Make roles, database and grants that are not there yet; returns what was done, in words.

    ``admin_url`` is an address of the same server for a role that may create roles and databases. Passwords
    travel as SCRAM verifiers, so that no log of the server can show them. May be repeated.
    """
    _require_two_roles(owner, runtime)
    with psycopg.connect(admin_url, autocommit=True) as admin:
        _require_version(admin)
        done = [_make_role(admin, login) for login in (owner, runtime)]
        done.append(_make_database(admin, owner))
        done += [_keep_parameters_out_of_logs(admin, owner.database)]
    with psycopg.connect(admin_url, autocommit=True, dbname=owner.database) as admin:
        _grant(admin, owner, runtime)
    return [*done, f"{runtime.role} may use what {owner.role} makes in {owner.database}."]


def prepare_grants(*, owner_url: str, owner: Login, runtime: Login) -> list[str]:
    """Only what the owner can do himself, on a server where others made roles and database."""
    _require_two_roles(owner, runtime)
    with psycopg.connect(owner_url, autocommit=True) as connection:
        _require_version(connection)
        known = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [runtime.role])
        if known.fetchone() is None:
            raise PreparationError(f"The role {runtime.role} does not exist yet.")
        _grant(connection, owner, runtime)
    return [f"{runtime.role} may use what {owner.role} makes in {owner.database}."]


def _require_two_roles(owner: Login, runtime: Login) -> None:
    if runtime.role != RUNTIME:
        message = f"DATABASE_URL must name the role {RUNTIME}, not {runtime.role}"
        raise PreparationError(f"{message}: the migrations take its privileges away by name.")
    if owner.role == runtime.role:
        raise PreparationError("DATABASE_OWNER_URL must name another role than DATABASE_URL.")
    if owner.database != runtime.database:
        raise PreparationError("DATABASE_OWNER_URL and DATABASE_URL must name the same database.")


def _require_version(connection: psycopg.Connection) -> None:
    if connection.info.server_version < OLDEST_SERVER:
        raise PreparationError("Bursar needs PostgreSQL 15 or newer.")


def _make_role(admin: psycopg.Connection, login: Login) -> str:
    known = admin.execute("SELECT FROM pg_roles WHERE rolname = %s", [login.role]).fetchone()
    verb = "ALTER" if known is not None else "CREATE"
    statement = sql.SQL(
        f"{verb} ROLE {{role}} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION"
    ).format(role=sql.Identifier(login.role))
    admin.execute(statement)
    if login.password:
        _set_password(admin, login)
    return f"The role {login.role} is there."


def _set_password(admin: psycopg.Connection, login: Login) -> None:
    verifier = admin.pgconn.encrypt_password(
        login.password.encode(), login.role.encode(), b"scram-sha-256"
    ).decode()
    statement = sql.SQL("ALTER ROLE {} PASSWORD {}")
    admin.execute(statement.format(sql.Identifier(login.role), sql.Literal(verifier)))


def _make_database(admin: psycopg.Connection, owner: Login) -> str:
    name = sql.Identifier(owner.database)
    known = admin.execute("SELECT FROM pg_database WHERE datname = %s", [owner.database])
    if known.fetchone() is None:
        # A managed server's administrator must be a member of whom he gives things to.
        admin.execute(_as_member(admin, owner))
        statement = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0 ENCODING 'UTF8'")
        admin.execute(statement.format(name, sql.Identifier(owner.role)))
    else:
        statement = sql.SQL("ALTER DATABASE {} OWNER TO {}")
        admin.execute(statement.format(name, sql.Identifier(owner.role)))
    admin.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name))
    return f"The database {owner.database} is there."


def _as_member(admin: psycopg.Connection, owner: Login) -> sql.Composed | sql.SQL:
    row = admin.execute("SELECT pg_has_role(current_user, %s, 'MEMBER')", [owner.role]).fetchone()
    if row and row[0]:
        return sql.SQL("SELECT 1")
    return sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(owner.role))


def _keep_parameters_out_of_logs(admin: psycopg.Connection, database: str) -> str:
    """Set it for the database; only a superuser may, elsewhere it stands in the server's own settings."""
    try:
        for name in QUIET:
            statement = sql.SQL("ALTER DATABASE {} SET {} = 0")
            admin.execute(statement.format(sql.Identifier(database), sql.Identifier(name)))
    except psycopg.errors.InsufficientPrivilege:
        return f"Set {' and '.join(QUIET)} to 0 in the server's settings: this role may not."
    return "Values of statements stay out of the server's log."


def _grant(connection: psycopg.Connection, owner: Login, runtime: Login) -> None:
    names = {"owner": sql.Identifier(owner.role), "runtime": sql.Identifier(runtime.role)}
    for statement in _grants(connection.info.dbname):
        connection.execute(sql.SQL(statement).format(**names))
    default_rights(connection, owner=owner.role, runtime=runtime.role, grant=True)


def _grants(database: str) -> Sequence[Any]:
    name = '"' + database.replace('"', '""') + '"'
    return (
        f"GRANT CONNECT, TEMPORARY ON DATABASE {name} TO {{runtime}}",
        "GRANT USAGE ON SCHEMA public TO {runtime}",
    )


def default_rights(
    connection: psycopg.Connection, *, owner: str, runtime: str, grant: bool
) -> None:
    """Give or take what the runtime role may do with whatever the owner makes from now on."""
    names = {"owner": sql.Identifier(owner), "runtime": sql.Identifier(runtime)}
    verb, to = ("GRANT", "TO") if grant else ("REVOKE", "FROM")
    for rights in RIGHTS_ON_NEW:
        statement = f"ALTER DEFAULT PRIVILEGES FOR ROLE {{owner}} {verb} {rights} {to} {{runtime}}"
        connection.execute(sql.SQL(statement).format(**names))
