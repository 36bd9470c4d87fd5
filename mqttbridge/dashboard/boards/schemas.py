"""The shapes of what the dashboard documents' handlers answer."""

from __future__ import annotations

from typing import Literal

from mqttbridge.config.dashboards import DashboardDocument
from mqttbridge.dashboard.schemas import Epoch, Model


class BoardAnswer(Model):
    """What a bucket's page is drawn by."""

    version: int
    """0 when nothing was saved."""
    at: Epoch | None
    """When it was saved."""
    source: Literal["auto", "saved", "config"]
    """`auto`: the page makes it by itself; `config`: it is written in the configuration."""
    document: DashboardDocument | None
    editable: bool
    """Whether who asks may save another."""


class BoardSaved(Model):
    """The version that was written."""

    version: int


class BoardDeleted(Model):
    """Whether there was one."""

    deleted: bool


class BoardConflict(Model):
    """Somebody else was first; this is how it is now."""

    error: str
    version: int
    """0 when it was deleted."""
    at: float | None
    """When that was saved; seconds since 1970, UTC."""
    document: DashboardDocument | None = None


class BoardVersion(Model):
    """One version that is kept."""

    version: int
    at: float
    """Seconds since 1970, UTC."""
    tiles: int


class BoardVersions(Model):
    """The versions that are kept, the newest first."""

    versions: list[BoardVersion]


class PictureKept(Model):
    """Bytes of the picture that is kept."""

    size: int
