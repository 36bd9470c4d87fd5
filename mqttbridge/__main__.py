"""Entry point of `mqttbridge` and `python -m mqttbridge`."""

from mqttbridge.cli import main

if __name__ == "__main__":
    main()
