"""Database rules derived from the models: roles, row-level security, history triggers.

Run after every migration, idempotent, so a new table is closed from its first second. Three logins' worth of
power exist: the owner (migrations only), `<database>_web` (the program; owns nothing, inherits nothing), and
the reader roles of `anze.kernel.scope.READERS` it steps into for the length of one transaction.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connection, migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import ProjectState

from anze.kernel import scope as kernel_scope
from anze.kernel.models import PrivateTable, PublicTable, ScopedTable

FUNCTIONS = """
CREATE OR REPLACE FUNCTION kernel_keep_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    counted boolean := TG_ARGV[0] = 'counted';
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF counted THEN
            INSERT INTO kernel_touch (table_name, row_id) SELECT TG_TABLE_NAME, id FROM new_rows;
        END IF;
        RETURN NULL;
    END IF;
    WITH kept AS (
        INSERT INTO kernel_change (at, by, event_id, table_name, row_id, operation, before,
                                   region_code, sector, insurer_id, agency_id, enterprise_id)
        SELECT clock_timestamp(),
               nullif(current_setting('anze.by', true), '')::uuid,
               nullif(current_setting('anze.event', true), '')::uuid,
               TG_TABLE_NAME, (j->>'id')::uuid, TG_OP, j,
               j->>'region_code', j->>'sector', (j->>'insurer_id')::uuid, (j->>'agency_id')::uuid,
               (CASE WHEN TG_TABLE_NAME = 'parties_enterprise' THEN j->>'id' ELSE j->>'enterprise_id' END)::uuid
        FROM (SELECT to_jsonb(o) AS j FROM old_rows o) AS images
        RETURNING id, row_id
    )
    INSERT INTO kernel_touch (table_name, row_id, change)
    SELECT TG_TABLE_NAME, row_id, id FROM kept WHERE counted;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION kernel_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
"""


class TablesAtOnce(migrations.Migration):
    """A migration that makes a room's tables and changes none of them, so that no operation needs the state between.

    Django renders every related model anew before each operation, which for tables all related to each other takes
    most of the time of a first start. Here the state is carried to the end first and rendered once.
    """

    def apply(
        self, project_state: ProjectState, schema_editor: BaseDatabaseSchemaEditor, collect_sql: bool = False
    ) -> ProjectState:
        if collect_sql:
            return super().apply(project_state, schema_editor, collect_sql)
        vars(project_state).pop("apps", None)
        self.mutate_state(project_state, preserve=False)
        for operation in self.operations:
            operation.database_forwards(self.app_label, schema_editor, project_state, project_state)
        return project_state


def web_login() -> str:
    """The login the program serves requests with: it owns no table and sees nothing before it enters a role."""
    return f"{connection.settings_dict['NAME']}_web"


def our_models() -> Iterator[type[models.Model]]:
    """The models of all rooms, without those of libraries."""
    for config in apps.get_app_configs():
        if config.name.startswith("anze."):
            yield from config.get_models(include_auto_created=True)


def reads(model: type[models.Model]) -> str:
    """public, private, scoped, history or queue: how a table is protected."""
    if issubclass(model, ScopedTable) or getattr(model, "is_scoped", False):
        return "scoped"
    if issubclass(model, PublicTable) or getattr(model, "is_public", False):
        return "public"
    if getattr(model, "is_history", False):
        return "history"
    if getattr(model, "is_queue", False):
        return "queue"
    if issubclass(model, PrivateTable) or getattr(model, "is_private", False):
        return "private"
    raise TypeError(f"{model.__name__} does not say who may read it: derive it from one of the kernel's tables")


def policies_of(model: type[models.Model]) -> dict[str, str]:
    """Database role → condition on the rows it sees."""
    kind = reads(model)
    if kind == "public":
        return dict.fromkeys(kernel_scope.READERS, "true")
    if kind in ("private", "queue"):
        # a private table may show some of its rows to those it names; they read and never write
        return {"anze_all": "true", **getattr(model, "policies", {})}
    columns = {field.column for field in model._meta.local_concrete_fields}
    own: dict[str, str] = getattr(model, "policies", {})
    found: dict[str, str] = {}
    for role, (needed, condition) in kernel_scope.READERS.items():
        if role in own:
            found[role] = own[role]
        elif columns.issuperset(needed):
            found[role] = condition
    return found


def _quote(name: str) -> str:
    return connection.ops.quote_name(name)


def _statements(model: type[models.Model], owner: str, web: str) -> Iterator[str]:
    kind = reads(model)
    table = _quote(model._meta.db_table)
    yield f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"
    yield f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY"
    if kind in ("history", "queue"):
        # the keeper of history is a trigger that runs with the owner's rights
        yield f"CREATE POLICY keeper ON {table} FOR INSERT TO {_quote(owner)} WITH CHECK (true)"
        yield f"CREATE POLICY keeper_reads ON {table} FOR SELECT TO {_quote(owner)} USING (true)"
    if kind == "public":
        yield f"CREATE POLICY web_reads ON {table} FOR SELECT TO {_quote(web)} USING (true)"
        yield f"GRANT SELECT ON {table} TO {_quote(web)}"
    if kind == "private":
        yield f"CREATE POLICY web ON {table} TO {_quote(web)} USING (true)"
        yield f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {_quote(web)}"
    is_log = model._meta.db_table == "kernel_event"
    append_only = is_log or getattr(model, "is_append_only", False)
    for role, condition in policies_of(model).items():
        if is_log:
            # whoever acts may write what he did; reading it back follows his scope
            yield f"CREATE POLICY {role}_reads ON {table} FOR SELECT TO {role} USING ({condition})"
            yield f"CREATE POLICY {role}_adds ON {table} FOR INSERT TO {role} WITH CHECK (true)"
            yield f"GRANT SELECT, INSERT ON {table} TO {role}"
        elif append_only:
            # no row is changed or taken out; the synthetic province goes as a whole, with all its stories
            whole = ", TRUNCATE" if role == "anze_all" else ""
            yield f"CREATE POLICY {role} ON {table} TO {role} USING ({condition})"
            yield f"GRANT SELECT, INSERT{whole} ON {table} TO {role}"
        elif role == "anze_all":
            yield f"CREATE POLICY {role} ON {table} TO {role} USING (true)"
            yield f"GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON {table} TO {role}"
        elif kind in ("public", "history", "private"):
            yield f"CREATE POLICY {role} ON {table} FOR SELECT TO {role} USING ({condition})"
            yield f"GRANT SELECT ON {table} TO {role}"
        else:
            yield f"CREATE POLICY {role} ON {table} TO {role} USING ({condition})"
            yield f"GRANT SELECT, INSERT, UPDATE ON {table} TO {role}"
    if is_log:
        yield f"CREATE POLICY web_adds ON {table} FOR INSERT TO {_quote(web)} WITH CHECK (true)"
        yield f"GRANT INSERT ON {table} TO {_quote(web)}"
    if append_only:
        yield (
            f"CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION kernel_refuse()"
        )
    if getattr(model, "keeps_history", False) or getattr(model, "is_counted", False):
        word = "counted" if getattr(model, "is_counted", False) else "kept"
        for event, refers in (
            ("INSERT", "NEW TABLE AS new_rows"),
            ("UPDATE", "OLD TABLE AS old_rows"),
            ("DELETE", "OLD TABLE AS old_rows"),
        ):
            if event == "INSERT" and word == "kept":
                continue
            yield (
                f"CREATE OR REPLACE TRIGGER history_{event.lower()} AFTER {event} ON {table} "
                f"REFERENCING {refers} FOR EACH STATEMENT EXECUTE FUNCTION kernel_keep_change('{word}')"
            )


def _create_role(name: str, kind: str) -> str:
    """Unless it is there, or comes to be there meanwhile: roles belong to all databases of a cluster, and more
    than one of them may be made at the same time."""
    return (
        f"DO $$ BEGIN CREATE ROLE {name} {kind}; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
    )


def install_database_rules(**_: Any) -> None:
    """Make the database hold what the models say: roles, grants, policies, triggers and functions.

    Runs after every migration and begins anew each time, so that what a model no longer says is gone as well. Needs
    the owner's login, with CREATEROLE.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, current_database()")
        owner, database = cursor.fetchone()
        web = web_login()
        for role in kernel_scope.READERS:
            cursor.execute(_create_role(role, "NOLOGIN"))
        password = settings.DATABASES["default"]["PASSWORD"] if owner == web else _web_password()
        cursor.execute(_create_role(_quote(web), "LOGIN NOINHERIT"))
        # a hexadecimal digest: nothing in it could end the literal
        cursor.execute(f"ALTER ROLE {_quote(web)} LOGIN NOINHERIT PASSWORD '{password}'")
        cursor.execute(f"GRANT CONNECT, TEMPORARY ON DATABASE {_quote(database)} TO {_quote(web)}")
        for role in kernel_scope.READERS:
            cursor.execute(f"GRANT {role} TO {_quote(web)}")
            cursor.execute(f"GRANT USAGE ON SCHEMA public TO {role}, {_quote(web)}")
        cursor.execute(f"GRANT TEMPORARY ON DATABASE {_quote(database)} TO anze_all")
        cursor.execute(FUNCTIONS)
        cursor.execute(
            "SELECT format('DROP POLICY %I ON %I.%I', policyname, schemaname, tablename) FROM pg_policies "
            "WHERE schemaname = 'public'"
        )
        for (statement,) in cursor.fetchall():
            cursor.execute(statement)
        for model in our_models():
            if model._meta.managed and not model._meta.proxy:
                for statement in _statements(model, owner, web):
                    cursor.execute(statement)
        # tables of the libraries: sign-in machinery for the web login, the queue for everybody who may start a job
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND NOT rowsecurity")
        for (table,) in cursor.fetchall():
            cursor.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {_quote(table)} TO {_quote(web)}, anze_all")
            if table.startswith("procrastinate_"):
                for role in kernel_scope.READERS:
                    cursor.execute(f"GRANT SELECT, INSERT, UPDATE ON {_quote(table)} TO {role}")
        for role in (*kernel_scope.READERS, web):
            cursor.execute(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {_quote(role)}")


def _web_password() -> str:
    from config.settings import web_password

    return web_password(str(connection.settings_dict["PASSWORD"]))
