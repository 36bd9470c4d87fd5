"""What Initial State's clients speak: the Events API, which takes what they push, and the Read API."""
