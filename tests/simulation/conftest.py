"""What the simulation plays on."""

from tests.clock import clock

__all__ = ["clock"]
