"""Offline mode: events go into a CSV file, `epoch,key,value` a row, and nowhere else."""

from __future__ import annotations

import csv
import threading
from pathlib import Path
from typing import TextIO

from mqttbridge.errors import SpoolError
from mqttbridge.events import Value


class CsvFile:
    """Rows are added behind those of earlier runs; the file is opened with the first of them.

    Args:
        location: as the ini file has it. A name without `.csv` gets it (the original also gave it to names that had
            it, its own default among them).
    """

    def __init__(self, location: str) -> None:
        path = Path(location).expanduser()
        self.path = (path if path.suffix.lower() == ".csv" else path.with_name(path.name + ".csv")).absolute()
        self._lock = threading.Lock()
        self._file: TextIO | None = None

    def add(self, stream: str, value: Value, epoch: float) -> None:
        """Add a row.

        Raises:
            SpoolError: the file cannot be written.
        """
        try:
            with self._lock:
                if self._file is None:
                    # A line at a time: what was logged is in the file, whatever becomes of the program.
                    self._file = self.path.open("a", encoding="utf-8", newline="", buffering=1)
                csv.writer(self._file).writerow([epoch, stream, value])
        except OSError as error:
            raise SpoolError(f"{self.path} cannot be written: {error.strerror}") from error

    def close(self) -> None:
        """Close the file; another row opens it again."""
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None
