"""What the commands do beside running the bridge: record, replay, discover, test, look at what was refused."""
