"""Clients for programs: each a drop-in for one that they may be written for already."""
