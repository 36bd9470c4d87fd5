"""The container's health check: exit code 0 while the bridge's threads are alive.

Whether the broker is connected is readiness, not health: restarting the bridge would not bring a broker back.
"""

# ruff: noqa: INP001, T201  # a script, and printing is how it says what is wrong
import http.client
import os
import sys

TIMEOUT_SECONDS = 4  # below the health check's own, so that it is we who say what is wrong


def main() -> int:
    host, _, port = os.environ.get("MQTTBRIDGE_HTTP__LISTEN", "127.0.0.1:8080").rpartition(":")
    # An address that means "all of them" is no address to connect to.
    host = {"0.0.0.0": "127.0.0.1", "[::]": "::1"}.get(host, host.strip("[]"))  # noqa: S104
    connection = http.client.HTTPConnection(host, int(port), timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/livez")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        print(f"no answer at {host}:{port}: {error}")
        return 1
    finally:
        connection.close()
    print(f"/livez answers {status}")
    return 0 if status == http.client.OK else 1


if __name__ == "__main__":
    sys.exit(main())
