"""The data directory: made if missing, checked for writing, locked for one bridge."""

from __future__ import annotations

import fcntl
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Final

from mqttbridge.errors import DataDirError, DataDirInUse

# SQLite needs a few pages and a journal to open a file; with less it fails by words like "disk I/O error".
_ROOM: Final = 1 << 20


def remedy(path: Path) -> str:
    """What to do when files of the data directory cannot be opened; empty when the reason is none of the usual ones."""
    with suppress(OSError):
        if shutil.disk_usage(path).free < _ROOM:
            return f"The disk that holds data_dir {path} is full: make room on it, or set data_dir to a disk with room"
        for file in sorted(path.iterdir()):
            if file.is_file() and not os.access(file, os.R_OK | os.W_OK):
                return f"This user (uid {os.getuid()}) may not write {file}: give it the files of data_dir"
        if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
            return f"This user (uid {os.getuid()}) may not write data_dir {path}: give it that directory"
    return ""


class DataDir:
    """Holds the lock until `release`, or until the process ends in whatever way.

    Raises:
        DataDirError: it cannot be made or written.
        DataDirInUse: another bridge uses it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        lock = path / "lock"
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise DataDirError(
                f"cannot use data_dir {path}: {error.strerror}. Set data_dir to a directory this user may write"
            ) from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(self._descriptor, 32).decode(errors="replace").strip()
            os.close(self._descriptor)
            raise DataDirInUse(
                f"another mqttbridge (process {holder or 'unknown'}) is using data_dir {path}. "
                "Stop it, or give this one a data_dir and an mqtt.client_id of its own"
            ) from None
        with suppress(OSError):  # on a full disk the lock holds all the same; it only does not say whose it is
            os.ftruncate(self._descriptor, 0)
            os.write(self._descriptor, f"{os.getpid()}\n".encode())

    def release(self) -> None:
        os.close(self._descriptor)
