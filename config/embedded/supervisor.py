"""Keeps a set of programs running in the foreground: starts them in order, starts the dead again, and
ends them all in reverse order. One thread: output, clock and children are looked at in one loop."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import NoReturn

from config.embedded import processes

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 30.0
# Who ran this long is healthy: the next death starts with the shortest pause again.
HEALTHY_AFTER = 30.0
COLOURS = (36, 35, 34, 33, 32, 31)


class Stopped(Exception):
    """Somebody asked us to stop (Ctrl-C, SIGTERM, a closed terminal)."""


class ProgramFailed(Exception):
    """A program that must run once, or come up, did not; the message says which."""


@dataclass(frozen=True)
class Program:
    """Something to keep running."""

    name: str
    start: Callable[[], subprocess.Popen[str]]
    is_ready: Callable[[], bool] = lambda: True
    ready_within: float = 120.0
    stop_signals: tuple[int, ...] = (signal.SIGTERM, signal.SIGKILL)
    patience: float = 10.0


@dataclass
class Running:
    """A program with its present process."""

    program: Program
    process: subprocess.Popen[str]
    started: float = field(default_factory=time.monotonic)
    pause: float = FIRST_PAUSE
    due: float | None = None  # when to start it again, while it is dead


class Supervisor:
    """Runs programs until told to stop."""

    def __init__(self) -> None:
        self.running: list[Running] = []
        self._selector = selectors.DefaultSelector()
        self._asked = 0
        self._names: list[str] = []

    # --- what others call ---------------------------------------------------------------------------

    def listen(self) -> None:
        """Take the terminal's and the system's requests to stop; a second one is not patient."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask_to_stop)
        processes.adopt_orphans()

    def launch(self, program: Program) -> None:
        """Start a program and wait until it is ready. Raises ``ProgramFailed``, ``Stopped``."""
        self.wait_for(self.begin(program))

    def begin(self, program: Program) -> Running:
        """Start a program without waiting for it."""
        running = Running(program, self._start(program))
        self.running.append(running)
        return running

    def wait_for(self, running: Running) -> None:
        """Wait until a program that was begun is ready. Raises ``ProgramFailed``, ``Stopped``."""
        program = running.program
        deadline = time.monotonic() + program.ready_within
        while not program.is_ready():
            self._look(0.05)
            if time.monotonic() > deadline:
                raise ProgramFailed(
                    f"{program.name} is not ready after {program.ready_within:.0f} s."
                )
            if running.process.poll() is not None:
                self._look(0)
                raise ProgramFailed(f"{program.name} ended (exit {running.process.returncode}).")

    def run_once(self, name: str, start: Callable[[], subprocess.Popen[str]]) -> None:
        """Run something to its end. Raises ``ProgramFailed`` when it fails, ``Stopped``."""
        process = self._heard(name, start())
        try:
            while process.poll() is None:
                self._look(0.05)
        except Stopped:
            processes.end(process.pid, signals=(signal.SIGTERM, signal.SIGKILL), patience=5)
            raise
        self._look(0)
        if process.returncode:
            raise ProgramFailed(f"{name} failed (exit {process.returncode}).")

    def finish(self, running: Running) -> None:
        """End a program that is not needed any more."""
        self._end(running)
        self.running.remove(running)

    def watch(self) -> NoReturn:
        """Keep everything running until asked to stop, then raise ``Stopped``."""
        while True:
            self._look(0.1)
            for running in self.running:
                self._keep_up(running)
            processes.reap_adopted(self._pids())

    def stop(self) -> None:
        """End everything, last started first; then whatever they may have left."""
        signal.signal(signal.SIGINT, self._ask_to_stop)
        for running in reversed(self.running):
            self._end(running)
        processes.end_adopted(self._pids())
        self._drain()

    def say(self, text: str, *, name: str = "bursar") -> None:
        if name not in self._names:
            self._names.append(name)
        label = f"{name:<9} |"
        if sys.stdout.isatty():
            colour = COLOURS[self._names.index(name) % len(COLOURS)]
            label = f"\033[{colour}m{label}\033[0m"
        with contextlib.suppress(BrokenPipeError):
            sys.stdout.write(f"{label} {text}\n")
            sys.stdout.flush()

    # --- children -----------------------------------------------------------------------------------

    def _pids(self) -> set[int]:
        return {running.process.pid for running in self.running}

    def _start(self, program: Program) -> subprocess.Popen[str]:
        return self._heard(program.name, program.start())

    def _heard(self, name: str, process: subprocess.Popen[str]) -> subprocess.Popen[str]:
        if process.stdout is not None:
            os.set_blocking(process.stdout.fileno(), False)
            self._selector.register(process.stdout, selectors.EVENT_READ, Pipe(name))
        return process

    def _keep_up(self, running: Running) -> None:
        """Start a dead program again, each time after a longer pause while it keeps dying."""
        now = time.monotonic()
        if running.due is None:
            if running.process.poll() is None:
                return
            if now - running.started > HEALTHY_AFTER:
                running.pause = FIRST_PAUSE
            running.due = now + running.pause
            running.pause = min(running.pause * 2, LONGEST_PAUSE)
            self.say(
                f"{running.program.name} ended ({_how(running.process.returncode)}); starting it again"
            )
        elif now >= running.due:
            running.process = self._start(running.program)
            running.started, running.due = now, None

    def _end(self, running: Running) -> None:
        """Ask, wait while reading its last words, then insist."""
        process, program = running.process, running.program
        for number in program.stop_signals:
            if process.poll() is not None:
                return
            process.send_signal(number)
            asked = self._asked
            deadline = time.monotonic() + program.patience
            while process.poll() is None and time.monotonic() < deadline and self._asked == asked:
                self._read(0.02)
        process.wait()

    # --- output and signals -------------------------------------------------------------------------

    def _look(self, seconds: float) -> None:
        self._read(seconds)
        if self._asked:
            raise Stopped

    def _read(self, seconds: float) -> None:
        if not self._selector.get_map():
            time.sleep(seconds)
        for key, _ in self._selector.select(seconds):
            pipe: Pipe = key.data
            lines, ended = pipe.read(key.fd)
            for line in lines:
                self.say(line, name=pipe.name)
            if ended:
                self._selector.unregister(key.fileobj)

    def _drain(self) -> None:
        deadline = time.monotonic() + 1
        while self._selector.get_map() and time.monotonic() < deadline:
            self._read(0.05)

    def _ask_to_stop(self, number: int, frame: FrameType | None) -> None:
        self._asked += 1


@dataclass
class Pipe:
    """A child's output, cut into lines."""

    name: str
    rest: bytes = b""

    def read(self, descriptor: int) -> tuple[Iterable[str], bool]:
        """What whole lines have come, and whether that was the end."""
        try:
            chunk = os.read(descriptor, 65536)
        except BlockingIOError:
            return [], False
        *lines, self.rest = (self.rest + chunk).split(b"\n")
        if not chunk and self.rest:
            lines, self.rest = [self.rest], b""
        return [line.decode(errors="replace").rstrip() for line in lines], not chunk


def _how(code: int | None) -> str:
    if code is not None and code < 0:
        return f"killed by {signal.Signals(-code).name}"
    return f"exit {code}"


def write_whole(file: Path, text: str) -> None:
    """Write a file so that a reader sees the old or the new one, never half."""
    draft = file.with_name(f"{file.name}.new")
    draft.write_text(text, encoding="utf-8")
    draft.replace(file)
