"""How many examples a rule is tried on."""

from hypothesis import settings

from tests.conftest import FULL

# In the long profile no rule of sharing costs is tried on fewer.
LONG = 10_000

thorough = settings(max_examples=LONG if FULL else 25)
