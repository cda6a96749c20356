"""Which status may follow which, as the database knows it."""

from django.db import models


class StateTransition(models.Model):
    """One allowed step of a state machine; an empty source means a new row may start here.

    Filled by migrations from the ``states.py`` of each app and read by the trigger that guards status
    columns; a test holds the two against each other.
    """

    machine = models.CharField(max_length=60)
    source = models.CharField(max_length=20, blank=True)
    target = models.CharField(max_length=20)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("machine", "source", "target"),
                name="ledger_statetransition_once",
            ),
        )

    def __str__(self) -> str:
        return f"{self.machine}: {self.source or 'new'} to {self.target}"
