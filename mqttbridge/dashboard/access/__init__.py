"""Who comes in: keys and view tokens, share links, sessions of browsers, and how often one may guess.

What is made on the page is kept as records, and of each secret its SHA-256 alone: secrets that we make have 160 bits
of chance in them, so there is nothing to guess from a digest, and none is shown a second time.
"""
