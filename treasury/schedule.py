"""When the gateway is asked about an attempt, and when doubt goes before people. Pure: no ORM.

The steps are those of ``backoff``: the first question comes with the next pass of the janitor (within
15 s), the others after 15 s, 1, 5 and 15 minutes, 1 and 6 hours and 24 hours.
"""

import random
from datetime import timedelta

STEPS = (
    timedelta(seconds=15),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=6),
    timedelta(hours=24),
)
JITTER = 0.1
# Doubt that lasts longer than this is put before two people.
LONGEST_DOUBT = timedelta(hours=24)
# A reference that the gateway did not take is sent again at most this often.
MOST_CALLS = 8
PASS_EVERY = timedelta(seconds=15)
# A refusal that may pass is tried again so long after the first failure, four times as long each further
# time, at most so long; a part of it is added at random, so that what was refused together goes out apart.
FIRST_RETRY = timedelta(minutes=15)
LONGEST_RETRY = timedelta(hours=24)
RETRY_JITTER = 0.25


def backoff(step: int, *, at_least: timedelta = timedelta(0)) -> timedelta:
    """Return how long to wait after the ``step``-th try (counted from 1), a little less at random.

    The jitter only shortens, so that no step comes later than the table says.
    """
    wait = STEPS[min(max(step, 1), len(STEPS)) - 1]
    shortened = wait * (1 - random.uniform(0, JITTER))  # noqa: S311 -- jitter, not a secret
    return max(shortened, at_least)


def retry_pause(failures: int, *, at_least: timedelta = timedelta(0)) -> timedelta:
    """Return how long after the ``failures``-th definite refusal (from 1) a payment is tried again.

    The jitter only lengthens: ``at_least`` is when the cause may be over.
    """
    wait: timedelta = FIRST_RETRY * 4 ** min(max(failures, 1) - 1, 10)
    wait = max(min(wait, LONGEST_RETRY), at_least)
    return wait * (1 + random.uniform(0, RETRY_JITTER))  # noqa: S311 -- jitter, not a secret
