"""Make `.venv` hold exactly what a lock file names. Standard library only: it runs before any install.

    python3.11 config/install.py runtime|dev

Does nothing when the lock file has not changed since the last install. Several of these may run at
once: one installs, the others wait for it. pip reads its own configuration as always.
"""

from __future__ import annotations

import fcntl
import hashlib
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LOCKS = {"runtime": ROOT / "requirements.lock", "dev": ROOT / "requirements-dev.lock"}
# The development lock holds everything of the run-time lock at the same versions.
COVERED_BY = {"runtime": ("runtime", "dev"), "dev": ("dev",)}
OLDEST_PYTHON = (3, 11)


def say(text: str, end: str = "\n") -> None:
    sys.stderr.write(text + end)
    sys.stderr.flush()


def wanted(kind: str) -> str:
    """What the installed set is compared by: the interpreter and the content of the lock file."""
    return hashlib.sha256(sys.version.encode() + LOCKS[kind].read_bytes()).hexdigest()


def is_installed(kind: str) -> bool:
    for candidate in COVERED_BY[kind]:
        stamp = VENV / f"installed-{candidate}"
        if stamp.exists() and stamp.read_text(encoding="ascii") == wanted(candidate):
            return True
    return False


def create_environment() -> None:
    if not (VENV / "bin" / "pip").exists():
        say("Creating .venv …")
        command = [sys.executable, "-m", "venv", "--clear", str(VENV)]
        subprocess.run(command, check=True)  # noqa: S603


def install(kind: str) -> None:
    """Install the lock file with pip, one line of progress, all of pip's words if it fails."""
    lock = LOCKS[kind]
    total = sum("==" in line for line in lock.read_text(encoding="utf-8").splitlines())
    # Byte code is written when a module is first imported: compiling everything now takes longer.
    command = [
        *(str(VENV / "bin" / "python"), "-m", "pip", "install", "--no-input", "--no-compile"),
        *("--no-deps", "--require-hashes", "--progress-bar", "off", "-r", str(lock)),
    ]
    pip = subprocess.Popen(  # noqa: S603
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    heard, done = [], 0
    for line in pip.stdout or ():
        heard.append(line)
        if line.startswith(("Collecting ", "Requirement already satisfied: ")):
            done += 1
            name = line.removeprefix("Collecting ").removeprefix("Requirement already satisfied: ")
            report(done, total, name.split()[0])
        elif line.startswith("Installing collected packages"):
            say("\nUnpacking …")
    if pip.wait():
        say("\n" + "".join(heard))
        raise SystemExit(f"pip could not install {lock.name} (exit {pip.returncode}).")


def report(done: int, total: int, name: str) -> None:
    if sys.stderr.isatty():
        say(f"\r\033[KFetching {done}/{total}: {name}", end="")
    elif done % 20 == 0 or done == total:
        say(f"Fetching {done}/{total}: {name}")


def main(kind: str) -> None:
    if sys.version_info < OLDEST_PYTHON:
        raise SystemExit("Bursar needs Python 3.11 or newer: make PYTHON=python3.11 …")
    if is_installed(kind):
        return
    VENV.mkdir(exist_ok=True)
    with (ROOT / ".venv.lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if is_installed(kind):
            return
        started = time.monotonic()
        create_environment()
        say(f"Installing {LOCKS[kind].name} into .venv")
        install(kind)
        (VENV / f"installed-{kind}").write_text(wanted(kind), encoding="ascii")
        say(f"Installed in {time.monotonic() - started:.0f} s.")


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in LOCKS:
        raise SystemExit(__doc__)
    main(sys.argv[1])
