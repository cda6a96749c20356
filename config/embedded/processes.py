"""Operating-system processes: starting them so that none outlives its parent, finding and ending them."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
NOBODY = 65534

_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent(signal_number: int = signal.SIGKILL) -> None:
    """Let the kernel send this process a signal when the thread that started it ends (Linux)."""
    prctl = getattr(_libc, "prctl", None)
    if prctl is not None:
        prctl(PR_SET_PDEATHSIG, int(signal_number), 0, 0, 0)


def start(
    command: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    as_nobody: bool = False,
    own_group: bool = False,
    death_signal: int = signal.SIGKILL,
    output: int | IO[Any] | None = subprocess.PIPE,
    folder: Path | None = None,
) -> subprocess.Popen[str]:
    """Start a child that dies with us and does not hear the terminal's Ctrl-C: we end it in our order.

    ``own_group`` is for programs that undo a blocked SIGINT, such as PostgreSQL. The caller must be the
    main thread, for the kernel's death signal follows the thread.
    """
    identity: dict[str, Any] = (
        {"user": NOBODY, "group": NOBODY, "extra_groups": []} if as_nobody else {}
    )
    return subprocess.Popen(  # noqa: S603 -- our own commands only
        list(command),
        env=dict(environment) if environment is not None else None,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        cwd=folder,
        process_group=0 if own_group else None,
        preexec_fn=_prepare(os.getpid(), death_signal),  # noqa: PLW1509 -- prctl has no other place
        **identity,
    )


def _prepare(parent: int, death_signal: int) -> Callable[[], None]:
    def prepare() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        die_with_parent(death_signal)
        if os.getppid() != parent:  # it died before we asked to be told
            os._exit(1)

    return prepare


def command_line(pid: int) -> str:
    """The command line of a process, "" where there is none (gone, or a zombie)."""
    try:
        return (
            Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        )
    except OSError:
        return ""


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that ended and was not reaped does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return state.rpartition(")")[2].split()[0] not in {"Z", "X"}


def end(pid: int, *, signals: Sequence[int], patience: float) -> None:
    """Send each signal in turn until the process is gone, waiting ``patience`` seconds after each."""
    for number in signals:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        if wait_until(lambda: not is_alive(pid), seconds=patience):
            return


def wait_until(condition: Callable[[], bool], *, seconds: float, every: float = 0.02) -> bool:
    """Ask again and again until the condition holds; False when the time is over."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(every)
    return True


def adopt_orphans() -> None:
    """Become the parent of our descendants' orphans, so that none is lost sight of (Linux)."""
    prctl = getattr(_libc, "prctl", None)
    if prctl is not None:
        prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def reap_adopted(own: Collection[int]) -> None:
    """Collect the adopted children that have ended; ``own`` are looked after by their starters."""
    for pid in _children() - set(own):
        if not is_alive(pid):
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)


def end_adopted(own: Collection[int], *, patience: float = 3.0) -> None:
    """End the adopted children, and theirs, that our own children left behind."""
    deadline = time.monotonic() + patience
    while (left := _children() - set(own)) and time.monotonic() < deadline:
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        reap_adopted(own)
        time.sleep(0.02)


def _children() -> set[int]:
    own = os.getpid()
    return {pid for pid in _all() if _parent(pid) == own}


def _all() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _parent(pid: int) -> int:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 0
    return int(state.rpartition(")")[2].split()[1])


def marked(mark: str) -> list[int]:
    """The processes of ours whose environment has the entry ``NAME=value``."""
    wanted = os.fsencode(mark)
    found = []
    for pid in _all():
        with contextlib.suppress(OSError):
            if wanted in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                found.append(pid)
    return [pid for pid in found if pid != os.getpid() and is_alive(pid)]
