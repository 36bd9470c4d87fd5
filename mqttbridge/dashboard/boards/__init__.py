"""Boards: what people arranged of a bucket's page, and values worked out of its streams."""
