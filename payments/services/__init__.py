"""What payments does: one verb, one function."""

from payments.services.providers import (
    add_provider,
    change_credentials,
    resume_provider,
    stop_provider,
)

__all__ = ["add_provider", "change_credentials", "resume_provider", "stop_provider"]
