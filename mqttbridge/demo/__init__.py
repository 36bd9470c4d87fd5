"""The demonstration: a broker, a simulated fleet, the bridge and its dashboard in one command."""
