"""What the payment tests share."""

from tests.simulator import simulator, simulator_process

__all__ = ["simulator", "simulator_process"]
