"""Alerts over HTTP: their rules, states, history and silences."""
