"""The page of the bridge itself, `/bridge`: what it asks for."""
