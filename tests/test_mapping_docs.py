"""docs/mapping.md tells the truth: every message in it becomes what stands below it, by the rules or models above it.

An example is a `text` block after the YAML that it is about. Lines without indentation are messages, topic and payload
with two spaces between, and seconds before it where one comes later than the first. Below it stands what becomes of it:

    bucket: stream = value unit, other = value at 2025-10-09T08:53:20Z
    rejected: reason
    nothing
"""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from mqttbridge.config.loading import load_config
from mqttbridge.events import Rejected
from mqttbridge.mapping import Rulebook
from mqttbridge.tools.golden import ARRIVAL

PAGE = Path(__file__).resolve().parents[1] / "docs/mapping.md"
# Models alone are shown at work in a rule like the page's first.
RULE = {"topic": "home/{id}", "bucket": "home", "stream": "{id}.{field}"}


def yaml_blocks():
    """Each YAML block that maps something, with the example that follows it."""
    page = PAGE.read_text(encoding="utf-8")
    found = list(re.finditer(r"^```(yaml|text)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL))
    for n, block in enumerate(found):
        if block[1] == "yaml" and {"rules", "models"} & yaml.safe_load(block[2]).keys():
            example = found[n + 1][2] if n + 1 < len(found) and found[n + 1][1] == "text" else ""
            yield pytest.param(block[2], example, id=block[2].split("\n")[1].strip())


@pytest.mark.parametrize(("text", "example"), list(yaml_blocks()))
def test_what_stands_below_a_block_is_what_it_makes(text, example, tmp_path):
    book = rulebook(text, tmp_path)
    messages = [line for line in example.splitlines() if not line.startswith(" ")]

    assert messages, "each block has an example"
    assert "".join(f"{message}\n{shown(book, message)}\n" for message in messages) == example


def rulebook(text, folder):
    content = yaml.safe_load(text)
    if "rules" not in content:
        text += f"rules: [{json.dumps({**RULE, 'model': list(content['models'])[-1]})}]\n"
    (folder / "config.yaml").write_text(text, encoding="utf-8")
    return Rulebook(load_config(folder / "config.yaml", {}).config)


def shown(book, message):
    later, topic, payload = re.fullmatch(r"(?:([0-9]+)s  )?(\S+)  (.*)", message).groups()
    arrival = ARRIVAL + int(later or 0)
    told = []
    for route in book.routes(topic.encode()):
        result = route.apply(payload.encode(), arrival)
        if isinstance(result, Rejected):
            told.append(f"    rejected: {result.reason}")
            continue
        if route.thinner is not None:
            result = [kept for event in result for kept, _, _ in route.thinner.offer(event, arrival, None)]
        if result:
            values = [
                f"{stream} = {json.dumps(value, ensure_ascii=False)}"
                + (f" {unit}" if (unit := route.new_units.get((bucket, stream))) else "")
                + ("" if epoch == arrival else f" at {moment(epoch)}")
                for bucket, stream, value, epoch in result
            ]
            told.append(f"    {result[0][0]}: {', '.join(values)}")
    return "\n".join(told) or "    nothing"


def moment(epoch):
    return datetime.fromtimestamp(round(epoch, 3), UTC).isoformat().replace("+00:00", "Z")
