"""What axe-core finds on a page: https://github.com/dequelabs/axe-core."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Frame, Page

AXE: Final = Path(__file__).parents[2] / ".venv/page/node_modules/axe-core/axe.min.js"
GRAVE: Final = {"serious", "critical"}


def faults(page: Page | Frame, *rules: str) -> list[str]:
    """What axe-core finds grave on the page as it stands; of some rules, or of all."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text("utf-8"))  # not as a script: the content security policy would refuse it
    only = {"runOnly": list(rules)} if rules else {}
    found: dict[str, Any] = page.evaluate(
        "options => axe.run(document, options)", {"resultTypes": ["violations"], **only}
    )
    return [
        f"{one['id']}: {node['html'][:160]} {[check['message'] for check in node['any'][:1]]}"
        for one in found["violations"]
        if one["impact"] in GRAVE
        for node in one["nodes"]
    ]
