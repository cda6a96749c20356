"""What a database holds that a restored one must hold again: heads of the ledger, rights, migrations; and
which keys it was written under."""

import hashlib
import hmac
from typing import Any

import psycopg
from django.conf import settings

HEADS = "SELECT id::text, entry_count, encode(chain_head, 'hex') FROM ledger_account ORDER BY id"
MIGRATIONS = "SELECT app || '.' || name FROM django_migrations ORDER BY 1"
EMPTY = "SELECT NOT EXISTS (SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace)"

# What the runtime role, and everyone, may do with tables, columns and functions.
RIGHTS = """
    SELECT kind, name, coalesce(role.rolname, 'PUBLIC'), acl.privilege_type
    FROM (
        SELECT 'table' AS kind, relname::text AS name,
            coalesce(relacl, acldefault(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner)) AS acl
        FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v', 'S')
        UNION ALL
        SELECT 'column', attrelid::regclass::text || '.' || attname, attacl
        FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
        WHERE relnamespace = 'public'::regnamespace AND attacl IS NOT NULL
        UNION ALL
        SELECT 'function', pg_proc.oid::regprocedure::text, coalesce(proacl, acldefault('f', proowner))
        FROM pg_proc WHERE pronamespace = 'public'::regnamespace
        UNION ALL
        SELECT 'default ' || defaclobjtype::text, '', defaclacl FROM pg_default_acl
    ) held CROSS JOIN LATERAL aclexplode(held.acl) acl
    LEFT JOIN pg_roles role ON role.oid = acl.grantee
    WHERE acl.grantee = 0 OR role.rolname = %s
    ORDER BY 1, 2, 3, 4
"""


def ledger_of(connection: psycopg.Connection) -> dict[str, Any]:
    """Return how many accounts and entries the ledger has, and one hash of all heads of its chains."""
    digest, accounts, entries = hashlib.sha256(), 0, 0
    with connection.cursor() as cursor:
        for account, count, head in cursor.stream(HEADS):
            digest.update(f"{account} {count} {head}\n".encode())
            accounts, entries = accounts + 1, entries + count
    return {"accounts": accounts, "entries": entries, "heads": digest.hexdigest()}


def rights_of(connection: psycopg.Connection, role: str) -> str:
    """Return one hash of everything that the role, and everyone, may do."""
    digest = hashlib.sha256()
    for row in connection.execute(RIGHTS, [role]):
        digest.update(f"{row}\n".encode())
    return digest.hexdigest()


def migrations_of(connection: psycopg.Connection) -> list[str]:
    return [row[0] for row in connection.execute(MIGRATIONS)]


def is_empty(connection: psycopg.Connection) -> bool:
    row = connection.execute(EMPTY).fetchone()
    return bool(row and row[0])


def fingerprints() -> dict[str, list[str]]:
    """Return what tells the configured keys from others, and nothing else about them."""
    return {
        "BURSAR_CHAIN_KEY": [_fingerprint(settings.BURSAR_CHAIN_KEY)],
        "BURSAR_INDEX_KEY": [_fingerprint(settings.BURSAR_INDEX_KEY)],
        "BURSAR_ENCRYPTION_KEYS": [
            _fingerprint(key.encode()) for key in settings.BURSAR_ENCRYPTION_KEYS
        ],
    }


def _fingerprint(key: bytes) -> str:
    return hmac.new(key, b"bursar key fingerprint", hashlib.sha256).hexdigest()[:32]
