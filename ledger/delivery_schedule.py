"""When a message is sent again, and when an endpoint gets a rest. Pure: no ORM.

Eight tries in 24 hours: at once, then after 10 seconds, 1, 10 and 60 minutes, 3, 7 and 12½ hours, each
pause a little longer or shorter at random so that a client that comes back is not met by everybody at once.
"""

import random
from datetime import timedelta

PAUSES = (
    timedelta(seconds=10),
    timedelta(minutes=1),
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=3),
    timedelta(hours=7),
    timedelta(hours=12, minutes=30),
)
MOST_TRIES = len(PAUSES) + 1
JITTER = 0.1
# An endpoint that fails is left alone for a while, longer each time, whatever waits for it.
LONGEST_REST = timedelta(minutes=5)
# And is disabled when it has answered nothing well for this long.
LONGEST_FAILURE = timedelta(days=5)


def pause_after(tries: int) -> timedelta | None:
    """Return how long to wait after so many tries; None when that was the last."""
    if tries >= MOST_TRIES:
        return None
    factor = random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 -- jitter, not a secret
    return PAUSES[max(tries, 1) - 1] * factor


def rest_after(failures: int) -> timedelta:
    """Return how long an endpoint is left alone after so many failures in a row."""
    return min(timedelta(seconds=2 ** min(failures, 10)), LONGEST_REST)
