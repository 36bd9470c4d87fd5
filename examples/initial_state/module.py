"""Method 1 of Initial State's tutorial: a Python module.

    mqttbridge serve                           # in another terminal
    python examples/initial_state/module.py    # then open http://127.0.0.1:8080

To the cloud instead, the same script:

    STREAMER_URL=https://groker.init.st STREAMER_ACCESS_KEY=ist_... python examples/initial_state/module.py
"""

import os
import time

from mqttbridge import Streamer

url = os.environ.get("STREAMER_URL", "http://127.0.0.1:8080")
access_key = os.environ.get("STREAMER_ACCESS_KEY", "")

with Streamer(bucket_name="My Python Module", bucket_key="module", access_key=access_key, url=url) as streamer:
    for number in range(7):
        streamer.log("myNumber", number)
        streamer.log_object({"cpu": 12.5 + number, "disk": {"free": 73}}, key_prefix="machine")
        time.sleep(0.01)  # a sensor takes its time, too

print(f"7 numbers are on {url}, bucket module")
