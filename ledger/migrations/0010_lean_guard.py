"""Guarding a status costs little on wide rows too."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = (("ledger", "0009_claiming"),)

    operations = (
        migrations.RunSQL(
            (SQL / "lean_guard.sql").read_text(encoding="utf-8"),
            """
            CREATE OR REPLACE FUNCTION ledger_guard_status() RETURNS trigger LANGUAGE plpgsql
            SET search_path = pg_catalog, public, pg_temp AS $$
            DECLARE
                was text := '';
                becomes text := to_jsonb(NEW) ->> TG_ARGV[1];
            BEGIN
                IF TG_OP = 'UPDATE' THEN
                    was := to_jsonb(OLD) ->> TG_ARGV[1];
                    IF was = becomes THEN
                        RETURN NEW;
                    END IF;
                END IF;
                PERFORM FROM ledger_statetransition
                    WHERE machine = TG_ARGV[0] AND source = was AND target = becomes;
                IF NOT FOUND THEN
                    RAISE EXCEPTION '%: % may not become %', TG_ARGV[0], coalesce(nullif(was, ''), 'new'), becomes
                        USING ERRCODE = 'check_violation', CONSTRAINT = TG_TABLE_NAME || '_guarded_status';
                END IF;
                RETURN NEW;
            END $$;
            """,
        ),
    )
