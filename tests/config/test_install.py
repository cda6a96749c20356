"""Installing: what the lock files say, and when nothing needs to be done."""

import re
from pathlib import Path

import pytest

from config import install


def pinned(lock: Path) -> dict[str, str]:
    """Each package of a lock file, with its version."""
    return dict(re.findall(r"^([a-z0-9-]+)(?:\[[a-z,]+\])?==(\S+)", lock.read_text(), re.MULTILINE))


@pytest.mark.parametrize("lock", install.LOCKS.values(), ids=lambda lock: lock.name)
def test_a_lock_file_has_hashes_and_no_addresses(lock: Path) -> None:
    text = lock.read_text()
    assert "://" not in text
    assert not re.search(r"^--", text, re.MULTILINE)
    entries = re.split(r"\n(?=[a-z])", text.strip())
    assert all("--hash=sha256:" in entry for entry in entries)


def test_the_development_lock_holds_the_run_time_lock() -> None:
    runtime, dev = pinned(install.LOCKS["runtime"]), pinned(install.LOCKS["dev"])
    assert runtime
    assert runtime.items() <= dev.items()


def test_another_lock_file_is_installed_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text("a==1")
    monkeypatch.setattr(install, "VENV", tmp_path)
    monkeypatch.setattr(install, "LOCKS", {"runtime": lock, "dev": lock})
    assert not install.is_installed("runtime")
    (tmp_path / "installed-dev").write_text(install.wanted("dev"))
    assert install.is_installed("runtime")
    lock.write_text("a==2")
    assert not install.is_installed("runtime")
