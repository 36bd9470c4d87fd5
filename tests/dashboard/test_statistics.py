"""The points API tells what each cell of time holds, where it is asked to."""

import time


def test_statistics_come_with_the_points_where_they_are_asked_for(served):
    base = time.time() // 3600 * 3600 - 3600
    served.push("b", *({"key": "t", "value": value, "epoch": base + at} for at, value in ((20, 1.5), (21, 4), (40, 3))))
    query = f"/api/v1/buckets/b/points?after={base}&before={base + 60}&points=2"

    assert "statistics" not in served.get(query).json()
    assert served.get(query + "&statistics=1").json()["statistics"] == {
        "t": {
            "width": 30.0,
            "epochs": [base, base + 30],
            "counts": [2, 1],
            "minima": [1.5, 3],
            "maxima": [4, 3],
            "sums": [5.5, 3.0],
            "firsts": [1.5, 3],
            "lasts": [4, 3],
        }
    }
