"""Plotly's streaming API: programs written for it draw figures here, with one line changed.

chart-studio, mqttbridge.Stream, Arduino --chunked POST--> protocol (pure: bytes -> lines)
    --> update (pure: a line -> points, style, layout) --> figures (what each viewer sees) --> feed --> browsers
                                                       `--> commit --> spool: numeric points are streams, too
"""
