"""The keyed hash chain: HMAC-SHA256 (RFC 2104) over every field of a ledger entry and the seal before it.

PostgreSQL computes it with core ``sha256()`` from two padded keys, so the key itself is never stored
there; here the same seal is computed in Python, for the verifier's tests and for reading by people.
"""

import hashlib
from functools import lru_cache

from django.conf import settings

BLOCK_SIZE = 64


def padded_keys() -> tuple[bytes, bytes]:
    """Return the inner and the outer padded key of HMAC-SHA256 for the configured chain key."""
    return _pads(settings.BURSAR_CHAIN_KEY)


@lru_cache(maxsize=4)
def _pads(key: bytes) -> tuple[bytes, bytes]:
    block = (key if len(key) <= BLOCK_SIZE else hashlib.sha256(key).digest()).ljust(
        BLOCK_SIZE, b"\0"
    )
    return bytes(byte ^ 0x36 for byte in block), bytes(byte ^ 0x5C for byte in block)
