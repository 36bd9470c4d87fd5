"""Which document a bucket's page is drawn by: from the configuration, or else what was saved on the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import ValidationError

from mqttbridge.config.dashboards import DashboardConfig, DashboardDocument
from mqttbridge.config.files import UnreadableFile, read_text
from mqttbridge.dashboard.records import Record, Records

KIND: Final = "dashboard"
NOTE: Final = "board"
"""Under which those who watch a bucket are told the version that is there."""
MAX_FILE_BYTES: Final = 2 * 2**20


class Unusable(Exception):  # noqa: N818  # a state of the file
    """The file that the configuration names cannot be used; the text says why."""


@dataclass(frozen=True, slots=True)
class Board:
    """What a bucket's page is drawn by.

    Attributes:
        source: where it comes from; `auto` when the page makes it by itself.
        version: of what was saved; 0 for everything else.
        at: when that was, epoch seconds.
        body: the document, as JSON values; None for `auto`.
    """

    source: Literal["auto", "saved", "config"]
    version: int = 0
    body: Mapping[str, Any] | None = None
    at: float | None = None


class Boards:
    """Dashboard documents by bucket. From any thread.

    Args:
        configured: the configuration's, by bucket or pattern.
        records: where saved ones are kept.
    """

    def __init__(self, configured: Mapping[str, DashboardConfig], records: Records) -> None:
        self._configured, self._records = configured, records

    def of(self, bucket: str) -> Board:
        """The bucket's document.

        Raises:
            StoreError: it cannot be read now.
            Unusable: the configuration names a file that cannot be used.
        """
        configured = self._configured_for(bucket)
        if configured is not None:
            return Board("config", body=_document(configured).named().model_dump(mode="json"))
        record = self._records.get(KIND, bucket)
        return Board("auto") if record is None else Board("saved", record.version, record.body, record.at)

    def is_configured(self, bucket: str) -> bool:
        """Whether the configuration has the bucket's document, so that it cannot be saved."""
        return self._configured_for(bucket) is not None

    def save(self, bucket: str, document: DashboardDocument, expected: int) -> Record:
        """Write a version.

        Raises:
            Conflict: somebody else saved first.
            StoreError: it cannot be written now.
        """
        return self._records.put(KIND, bucket, document.named().model_dump(mode="json"), expected)

    def forget(self, bucket: str, expected: int | None) -> bool:
        """Back to what the page makes by itself. Earlier versions stay. Raises as `save` does."""
        return self._records.delete(KIND, bucket, expected)

    def versions(self, bucket: str) -> list[Record]:
        """The versions that are kept, the newest first."""
        return self._records.history(KIND, bucket)

    def _configured_for(self, bucket: str) -> DashboardConfig | None:
        exact = self._configured.get(bucket)
        if exact is not None:
            return exact
        return next((one for pattern, one in self._configured.items() if fnmatchcase(bucket, pattern)), None)


def _document(configured: DashboardConfig) -> DashboardDocument:
    """The document itself; a file is read each time, so that what is changed in it shows on the next load."""
    if configured.file is None:
        return DashboardDocument.model_validate(configured.model_dump(exclude={"file"}))
    try:
        return DashboardDocument.model_validate_json(read_text(Path(configured.file), MAX_FILE_BYTES))
    except UnreadableFile as error:
        raise Unusable(f"dashboards: {configured.file}: {error}") from None
    except ValidationError as error:
        raise Unusable(f"dashboards: {configured.file}: {first_fault(error)}") from None


def first_fault(error: ValidationError) -> str:
    """Where a document is wrong first, and how."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(map(str, first["loc"]))
    return f"{where}: {first['msg']}" if where else str(first["msg"])
