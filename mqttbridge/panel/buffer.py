"""HoloViews' `Buffer`, whose rows can be replaced as well."""

from __future__ import annotations

import pandas as pd
import param
from holoviews.streams import Buffer


class LiveBuffer(Buffer):  # type: ignore[misc]  # holoviews is not typed
    """Rows for plots: the newest are added, and what belongs in between makes all of them anew."""

    def replace(self, data: pd.DataFrame) -> None:
        """Have these rows and no other.

        `clear` and `send` would do as much, but a plot may draw between them, and flicker.
        """
        with param.edit_constant(self):
            self.data = data.iloc[:0]
        # A plot adds the rows of a send to its own, unless it sees that it has missed one.
        self._count += 1
        self.send(data)
