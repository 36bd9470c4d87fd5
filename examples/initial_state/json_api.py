"""Method 2 of Initial State's tutorial: the Events API directly, with JSON.

    mqttbridge serve                             # in another terminal
    python examples/initial_state/json_api.py    # then open http://127.0.0.1:8080

To the cloud instead, the same script:

    STREAMER_URL=https://groker.init.st STREAMER_ACCESS_KEY=ist_... python examples/initial_state/json_api.py
"""

import os
import time

import requests

URL = os.environ.get("STREAMER_URL", "http://127.0.0.1:8080")
ACCESS_KEY = os.environ.get("STREAMER_ACCESS_KEY", "")


def create_bucket(bucket_key: str, bucket_name: str) -> int:
    """201 says that the bucket is new, 204 that it was there."""
    headers = {"X-IS-AccessKey": ACCESS_KEY, "Accept-Version": "~0"}
    data = {"bucketKey": bucket_key, "bucketName": bucket_name}
    answer = requests.post(f"{URL}/api/buckets", json=data, headers=headers, timeout=10)
    answer.raise_for_status()
    return answer.status_code


def stream_data(bucket_key: str, name: str, value: float | str) -> int:
    """204 says that the event is stored. Without an epoch the server's time counts."""
    headers = {"X-IS-AccessKey": ACCESS_KEY, "X-IS-BucketKey": bucket_key, "Accept-Version": "~0"}
    data = [{"key": name, "value": value, "epoch": time.time()}]
    answer = requests.post(f"{URL}/api/events", json=data, headers=headers, timeout=10)
    answer.raise_for_status()
    return answer.status_code


print("bucket:", create_bucket("json", "My JSON Bucket"))
print("event:", stream_data("json", "myNumber", 7))
