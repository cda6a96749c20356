"""The archive: a tar whose last member lists and seals all others.

So a file that was cut short has no list, one that was changed does not agree with it, and a list that was
written by somebody without the chain key has the wrong seal.
"""

import hashlib
import hmac
import io
import json
import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any

from config.backups import BackupError

FORMAT = 1
MANIFEST = "manifest.json"
DATABASE = "database.dump"
ANCHOR = "anchor.jsonl"
MEDIA = "media"
CHUNK = 1024 * 1024
LARGEST_MANIFEST = 256 * 1024 * 1024


def seal(manifest: dict[str, Any], key: bytes) -> str:
    """Return the HMAC-SHA256 (hex) of a manifest under the chain key."""
    text = json.dumps(manifest, sort_keys=True, separators=(",", ":"))
    return hmac.new(key, b"backup" + text.encode(), hashlib.sha256).hexdigest()


class Writer:
    """Adds files to an archive and remembers what they were."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self.files: list[dict[str, Any]] = []

    def add(self, name: str, path: Path) -> str:
        """Add one file; returns its SHA-256. A file that grows meanwhile is taken as long as it was."""
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            return self._add(name, file, size)

    def add_bytes(self, name: str, content: bytes) -> str:
        return self._add(name, io.BytesIO(content), len(content))

    def finish(self, facts: dict[str, Any], key: bytes) -> None:
        """Add the sealed list of everything."""
        manifest = {"format": FORMAT, **facts, "files": self.files}
        content = json.dumps({"manifest": manifest, "seal": seal(manifest, key)}, indent=1).encode()
        self._tar.addfile(_member(MANIFEST, len(content)), io.BytesIO(content))

    def _add(self, name: str, file: IO[bytes], size: int) -> str:
        hashing = _Hashing(file)
        self._tar.addfile(_member(name, size), hashing)
        digest = hashing.digest.hexdigest()
        self.files.append({"name": name, "size": size, "sha256": digest})
        return digest


class _Hashing:
    """A file that is hashed as it is read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        chunk = self._file.read(size)
        self.digest.update(chunk)
        return chunk


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o600
    return member


@contextmanager
def written(path: Path) -> Iterator[Writer]:
    """Write an archive that is there, whole and on the disk, only when the block has ended well."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        opened = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(opened, "wb") as file:
            with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
                yield Writer(tar)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(path)
    finally:
        draft.unlink(missing_ok=True)


def unpack(path: Path, folder: Path) -> dict[str, Any]:
    """Write the archive's files into an empty folder and return its manifest.

    Raises ``BackupError`` unless every listed file is there as it was and nothing else is. The seal is not
    looked at: whose key it needs is said by the manifest (``require_seal``).
    """
    found: dict[str, tuple[int, str]] = {}
    wrapped: dict[str, Any] = {}
    try:
        with tarfile.open(path, mode="r:") as tar:
            for member in tar:
                if member.name == MANIFEST:
                    wrapped = json.loads(_content(tar, member))
                else:
                    found[member.name] = _unpack_one(tar, member, folder)
        manifest = wrapped["manifest"]
        listed = {row["name"]: (row["size"], row["sha256"]) for row in manifest["files"]}
    except (tarfile.TarError, EOFError, ValueError, KeyError, TypeError) as error:
        raise BackupError(f"{path.name} is damaged: it cannot be read to its end.") from error
    if listed != found:
        names = sorted(name for name in {*listed, *found} if listed.get(name) != found.get(name))
        raise BackupError(f"{path.name} is damaged: {', '.join(names[:5])} is not what was saved.")
    if manifest.get("format") != FORMAT:
        raise BackupError(f"{path.name} has a format that this version does not read.")
    return {**manifest, "seal": wrapped.get("seal", "")}


def require_seal(manifest: dict[str, Any], key: bytes) -> None:
    """Raise ``BackupError`` when the list of files was not sealed with the key."""
    listed = {name: value for name, value in manifest.items() if name != "seal"}
    if not hmac.compare_digest(seal(listed, key), str(manifest["seal"])):
        raise BackupError("The backup is damaged: its list of files does not fit its seal.")


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    if member.size > LARGEST_MANIFEST:
        raise ValueError("too long")
    file = tar.extractfile(member)
    if file is None:
        raise ValueError("not a file")
    return file.read()


def _unpack_one(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> tuple[int, str]:
    """Write one file below the folder; nothing else than plain files with plain names."""
    parts = PurePosixPath(member.name).parts
    source = tar.extractfile(member)
    if source is None or not member.isreg() or member.name.startswith("/") or ".." in parts:
        raise ValueError("not a plain file")
    target = folder.joinpath(*parts)
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with target.open("xb") as file:
        while chunk := source.read(CHUNK):
            file.write(chunk)
            digest.update(chunk)
            size += len(chunk)
        file.flush()
        os.fsync(file.fileno())
    return size, digest.hexdigest()
