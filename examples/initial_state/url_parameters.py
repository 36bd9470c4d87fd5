"""Method 3 of Initial State's tutorial: URL parameters, no JSON. A browser's address bar could do it.

    mqttbridge serve                                   # in another terminal
    python examples/initial_state/url_parameters.py    # then open http://127.0.0.1:8080

To the cloud instead, the same script:

    STREAMER_URL=https://groker.init.st STREAMER_ACCESS_KEY=ist_... python examples/initial_state/url_parameters.py
"""

import os

import requests

URL = os.environ.get("STREAMER_URL", "http://127.0.0.1:8080")
ACCESS_KEY = os.environ.get("STREAMER_ACCESS_KEY", "none")


def get(path: str, **parameters: str | float) -> int:
    """Ask for a path with these parameters, encoded as URLs want them."""
    answer = requests.get(URL + path, params={"accessKey": ACCESS_KEY, **parameters}, timeout=10)
    answer.raise_for_status()
    return answer.status_code


print("bucket:", get("/api/buckets", bucketKey="url", bucketName="My URL Bucket"))
# Every parameter but the keys is an event: its name is the stream, its value the value.
print("events:", get("/api/events", bucketKey="url", myNumber=7, mood="fine"))
