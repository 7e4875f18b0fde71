"""A backup's file: a tar with the database, the files, the secrets, then a manifest with the SHA-256 of each.

The manifest comes last, with its own hash behind it: a file that was cut off has none and is refused.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from csp_web.errors import Refused
from csp_web.i18n import gettext as _
from csp_web.services.database_copies import BLOCK, flush_folder

FORMAT = 1
MANIFEST, SEAL = "manifest.json", "manifest.sha256"

Progress = Callable[[int], None]  # is told how many bytes were done since it was told last; ends all by raising


def _unseen(_size: int) -> None:
    """Nobody looks."""


@dataclass
class Manifest:
    """What a backup says of itself. ``secrets`` holds names from which nothing follows, not the secrets."""

    version: str
    revision: str
    database: str
    made_at: str
    secrets: dict[str, str]
    members: dict[str, dict[str, Any]] = field(default_factory=dict)  # name -> size, sha256
    format: int = FORMAT


class Damaged(Refused):
    """The file is not a whole, unchanged backup."""


class _Digesting:
    """A file that is hashed as it is read. One that got shorter meanwhile makes the tar stop."""

    def __init__(self, file: IO[bytes], progress: Progress) -> None:
        self._file, self.digest, self._progress = file, hashlib.sha256(), progress

    def read(self, size: int = -1) -> bytes:
        block = self._file.read(size)
        self.digest.update(block)
        self._progress(len(block))
        return block


class Writer:
    """Puts members into the tar and notes them in the manifest."""

    def __init__(self, tar: tarfile.TarFile, manifest: Manifest, progress: Progress) -> None:
        self._tar, self._manifest, self._progress = tar, manifest, progress

    def add_file(self, name: str, path: Path) -> None:
        """Add a file under a name."""
        with path.open("rb") as file:
            self._add(name, file, os.fstat(file.fileno()).st_size)

    def add_stream(self, name: str, file: IO[bytes], size: int) -> None:
        """Add so many bytes of an open file under a name."""
        self._add(name, file, size)

    def add_text(self, name: str, text: str) -> None:
        """Add a small text under a name."""
        content = text.encode()
        self._add(name, io.BytesIO(content), len(content))

    def _add(self, name: str, file: IO[bytes], size: int) -> None:
        digesting = _Digesting(file, self._progress)
        self._tar.addfile(_entry(name, size), digesting)
        self._manifest.members[name] = {"size": size, "sha256": digesting.digest.hexdigest()}


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o600
    return entry


@contextmanager
def writing(
    path: Path, manifest: Manifest, progress: Progress = _unseen, prove: Callable[[Path], object] | None = None
) -> Iterator[Writer]:
    """Write a backup beside its place, put it on the disk, read it back, and only then give it its name.

    ``prove`` reads it back (``verify`` by default), so that the caller can say how far that is.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.incomplete")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)  # one that is there is another's
    try:
        with os.fdopen(descriptor, "wb") as file:
            with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
                yield Writer(tar, manifest, progress)
                _finish(tar, manifest)
            file.flush()
            os.fsync(file.fileno())
        (prove or verify)(temporary)
        temporary.replace(path)
        flush_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _finish(tar: tarfile.TarFile, manifest: Manifest) -> None:
    content = json.dumps(asdict(manifest), indent=1).encode()
    for name, part in ((MANIFEST, content), (SEAL, hashlib.sha256(content).hexdigest().encode())):
        tar.addfile(_entry(name, len(part)), io.BytesIO(part))


def verify(path: Path, progress: Progress = _unseen) -> Manifest:
    """Read a backup whole and compare every member's hash with the manifest.

    Raises:
        Damaged: it was changed or cut off, or is no backup; the sentence says where.
    """
    found: dict[str, dict[str, Any]] = {}
    ends: dict[str, bytes] = {}
    with _reading(path) as tar:
        for entry in tar:
            file = tar.extractfile(entry)
            if file is None or entry.name in found:
                raise Damaged(_("%(path)s: %(name)s does not belong into a backup.", path=path, name=entry.name))
            if entry.name in {MANIFEST, SEAL}:
                ends[entry.name] = file.read()
            else:
                found[entry.name] = {"size": entry.size, "sha256": _digest(file, progress)}
    if SEAL not in ends:
        raise Damaged(
            _("%(path)s: the end is missing; the backup was cut off or damaged. Use another backup.", path=path)
        )
    manifest = _manifest(path, ends.get(MANIFEST, b""), ends[SEAL].decode("ascii", "replace"))
    for name in sorted(found.keys() | manifest.members.keys()):
        if found.get(name) != manifest.members.get(name):
            raise Damaged(_("%(path)s: %(name)s is damaged or missing. Use another backup.", path=path, name=name))
    return manifest


def peek(path: Path) -> Manifest:
    """What a backup says of itself, without reading what is in it.

    Raises:
        Damaged: it is no backup, or its end is missing.
    """
    ends: dict[str, bytes] = {}
    with _reading(path) as tar:
        for entry in tar:
            file = tar.extractfile(entry) if entry.name in {MANIFEST, SEAL} else None
            if file is not None:
                ends[entry.name] = file.read()
    return _manifest(path, ends.get(MANIFEST, b""), ends.get(SEAL, b"").decode("ascii", "replace"))


def hand_out(path: Path, takers: dict[str, Callable[[IO[bytes]], object]]) -> None:
    """Give members of a verified backup to whoever takes them; others are passed over."""
    with _reading(path) as tar:
        for entry in tar:
            take, file = takers.get(entry.name), tar.extractfile(entry)
            if take is not None and file is not None:
                take(file)


def extract(path: Path, targets: dict[str, Path]) -> None:
    """Write members of a verified backup to their places, on the disk when this returns; others are passed over."""
    with _reading(path) as tar:
        for entry in tar:
            target, file = targets.get(entry.name), tar.extractfile(entry)
            if target is not None and file is not None:
                _write(target, file)


def read_text(path: Path, name: str) -> str:
    """A small member of a verified backup."""
    with _reading(path) as tar:
        file = tar.extractfile(name)
        return file.read().decode() if file else ""


@contextmanager
def _reading(path: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(path, mode="r:") as tar:
            yield tar
    except (tarfile.TarError, EOFError) as error:
        raise Damaged(
            _("%(path)s: this is not a backup of csp-web, or it is damaged (%(why)s).", path=path, why=error)
        ) from error


def _manifest(path: Path, content: bytes, seal: str) -> Manifest:
    if hashlib.sha256(content).hexdigest() != seal:
        raise Damaged(_("%(path)s: the manifest is damaged. Use another backup.", path=path))
    given = json.loads(content)
    if given["format"] != FORMAT:
        raise Damaged(
            _("%(path)s: a newer version of csp-web wrote this backup; restore it with that version.", path=path)
        )
    return Manifest(**given)


def _digest(file: IO[bytes], progress: Progress) -> str:
    digest = hashlib.sha256()
    while block := file.read(BLOCK):
        digest.update(block)
        progress(len(block))
    return digest.hexdigest()


def _write(target: Path, file: IO[bytes]) -> None:
    target.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    temporary = target.with_name(f"{target.name}.restoring")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640)
    with os.fdopen(descriptor, "wb") as made:
        while block := file.read(BLOCK):
            made.write(block)
        made.flush()
        os.fsync(made.fileno())
    temporary.replace(target)
    flush_folder(target.parent)
