"""The data directory's lock."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from mqttbridge.bridge import Bridge
from mqttbridge.config.model import Config
from mqttbridge.datadir import DataDir, remedy
from mqttbridge.errors import DataDirError, SpoolError
from mqttbridge.mapping import Rulebook


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


def test_a_full_disk_is_named_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise SpoolError("cannot open the spool: disk I/O error")

    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=4096))
    monkeypatch.setattr("mqttbridge.bridge.Spool", full)
    config = Config.model_validate({"mqtt": None, "data_dir": str(tmp_path), "http": {"enabled": False}})

    with pytest.raises(SpoolError, match=r"disk I/O error\. The disk that holds data_dir .* is full: make room"):
        Bridge(config, Rulebook(config)).start()

    DataDir(tmp_path).release()  # nothing holds it


def test_a_file_that_belongs_to_somebody_else_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "spool.db").touch()
    monkeypatch.setattr(os, "access", lambda path, _: path == tmp_path)

    assert "may not write" in remedy(tmp_path)
    assert "spool.db" in remedy(tmp_path)


def test_where_all_is_well_there_is_no_remedy(tmp_path: Path) -> None:
    (tmp_path / "spool.db").touch()

    assert remedy(tmp_path) == ""
    assert remedy(tmp_path / "none") == ""
