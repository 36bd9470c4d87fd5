"""Health and metrics for those who supervise."""

import pytest


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_health_is_200_while_all_is_well_and_503_with_the_reason_when_not(served, path):
    well = served.get(path)
    served.problems["broker"] = "connecting"
    ill = served.get(path)

    more = {"warnings": {}} if path == "/readyz" else {}
    assert (well.status_code, well.json()) == (200, {"ok": True, "problems": {}, **more})
    assert (ill.status_code, ill.json()) == (503, {"ok": False, "problems": {"broker": "connecting"}, **more})
    assert ill.headers["cache-control"] == "no-store"


def test_metrics_are_in_the_prometheus_text_format(served):
    served.push("b", {"key": "t", "value": 1})

    answer = served.get("/metrics")

    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert 'mqttbridge_messages_received_total{source="http"} 1' in answer.text
    assert "mqttbridge_live_viewers 0" in answer.text
