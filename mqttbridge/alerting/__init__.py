"""Alerts: what rules make of the dashboard's points, and telling somebody.

    points --> Alerts.observe --> machine.step --> Ledger (states, firings: synced) --> Dispatcher --> actions
               (a dict lookup)    (event time)                                          (queued, retried)

`conditions`, `machine`, `matching`, `positions`, `firings` and `wording` are pure. `ledger` keeps, `actions` send,
`dispatcher` and `service` are the two loops.
"""
