"""What payments does: one verb, one function."""

from payments.services.demo import connect_simulator
from payments.services.providers import (
    add_provider,
    change_credentials,
    resume_provider,
    stop_provider,
)

__all__ = [
    "add_provider",
    "change_credentials",
    "connect_simulator",
    "resume_provider",
    "stop_provider",
]
