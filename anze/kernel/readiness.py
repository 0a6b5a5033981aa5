"""Whether a PostgreSQL server can carry the platform; if not, one sentence that names the remedy."""

from __future__ import annotations

import psycopg
from psycopg import sql

from anze.kernel.scope import READERS

OLDEST = 15
_CONNECT_SECONDS = 5


class NotReady(Exception):
    """The text is for the person at the keyboard."""


def connect_as_owner(url: str) -> psycopg.Connection:
    """A connection of the owner, committing each statement; raises `NotReady`."""
    try:
        return psycopg.connect(url, autocommit=True, connect_timeout=_CONNECT_SECONDS, client_encoding="utf8")
    except psycopg.OperationalError as problem:
        raise NotReady(_why_not(url, str(problem))) from None


def _why_not(url: str, said: str) -> str:
    given = psycopg.conninfo.conninfo_to_dict(url)
    user, database = given.get("user", ""), given.get("dbname", "")
    server = f"{given.get('host') or 'the local socket'}:{given.get('port') or 5432}"
    if "password authentication failed" in said or "no password supplied" in said:
        return f"PostgreSQL at {server} refuses the user {user}: correct the user or password in DATABASE_URL."
    if "does not exist" in said and "database" in said:
        return (
            f"There is no database {database} at {server}: "
            f"create it (createdb -O {user} {database}), or correct DATABASE_URL."
        )
    if "no pg_hba.conf entry" in said:
        return f"PostgreSQL at {server} admits no connection from here: add this machine to its pg_hba.conf."
    if any(each in said for each in ("refused", "timeout", "timed out", "translate", "resolve", "No such file")):
        return f"No PostgreSQL answers at {server}: start it, or correct DATABASE_URL."
    return f"DATABASE_URL cannot be used: {said.strip().splitlines()[0]}"


def require_fit(url: str) -> None:
    """Raise `NotReady` unless the server is recent enough and its user may do what the platform needs."""
    with connect_as_owner(url) as connection:
        version = connection.info.server_version // 10_000
        if version < OLDEST:
            raise NotReady(f"The server is PostgreSQL {version}; Anze needs {OLDEST} or newer.")
        row = connection.execute(
            "SELECT current_user, current_database(), pg_encoding_to_char(encoding), "
            "rolsuper OR rolcreaterole, has_schema_privilege('public', 'CREATE') FROM pg_database, pg_roles "
            "WHERE datname = current_database() AND rolname = current_user"
        ).fetchone()
        if row is None:
            raise NotReady("The server does not say who is connected.")
        user, database, encoding, may_create_roles, may_create_tables = row
        if encoding != "UTF8":
            raise NotReady(f"The database {database} is encoded in {encoding}: create it with ENCODING 'UTF8'.")
        if not may_create_tables:
            raise NotReady(
                f"The user {user} may not create tables in the database {database}: "
                f"run ALTER DATABASE {database} OWNER TO {user} as an administrator."
            )
        if not may_create_roles:
            raise NotReady(
                f"The user {user} may not create roles, which row-level security needs: "
                f"run ALTER ROLE {user} CREATEROLE as an administrator."
            )
        if version > OLDEST:
            _require_roles(connection, user)


def _require_roles(connection: psycopg.Connection, user: str) -> None:
    """From version 16 on a role may pass on only roles it was given with that right."""
    names = [*READERS, f"{connection.info.dbname}_web"]
    foreign = [
        name
        for (name,) in connection.execute(
            "SELECT rolname FROM pg_roles WHERE rolname = ANY(%s) "
            "AND NOT pg_has_role(current_user, oid, 'USAGE WITH ADMIN OPTION')",
            [names],
        )
    ]
    if foreign:
        listed = sql.SQL(", ").join(map(sql.Identifier, sorted(foreign))).as_string(connection)
        raise NotReady(
            f"The server has these roles from another installation: run GRANT {listed} TO {user} "
            "WITH ADMIN OPTION as an administrator."
        )
