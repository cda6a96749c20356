"""Backup and restore: one archive with the database, the attachments and the anchor file, and never a key.

``archive`` writes and reads the file, ``programs`` finds the right pg_dump and pg_restore, ``contents`` says
what a database must show again after a restore, ``making`` and ``restoring`` do the two.
"""


class BackupError(Exception):
    """A backup or a restore is refused or failed; the message says why, and what to do."""
