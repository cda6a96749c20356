"""What the browser's session remembers of a second factor."""

# Somebody gave his password here, and his second factor is still to come.
SECOND_FACTOR_PENDING = "second_factor_pending"
# The secret of an app that is being set up, encrypted.
NEW_SECRET = "second_factor_new_secret"  # noqa: S105 -- the name of it
