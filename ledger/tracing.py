"""Which request something is done for: from the web's middleware through workers to every log."""

from contextvars import ContextVar

# The name of the request, or of the scheduled task, that this is done for; "" outside both.
request_id: ContextVar[str] = ContextVar("request_id", default="")
LONGEST_ID = 64
