"""The data directory's lock."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from mqttbridge.datadir import DataDir
from mqttbridge.errors import DataDirError


def test_a_full_disk_does_not_keep_the_lock_from_being_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int, _data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        first = DataDir(tmp_path)
    with pytest.raises(DataDirError, match="another mqttbridge"):
        DataDir(tmp_path)
    first.release()
    DataDir(tmp_path).release()
