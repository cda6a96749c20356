"""Python's garbage collector in a process that answers requests for as long as it lives."""

import gc

OBJECTS = 10_000


def collect_seldom() -> None:
    """Take what is there now for what stays, and look for garbage after some thousands of new objects.

    The collector need not look through modules and settings again and again; and what requests leave in circles
    is little, so that several looks in each of them find nothing.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS)
