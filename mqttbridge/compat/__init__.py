"""Other people's import paths, leading here: for scripts that nobody can or wants to edit."""
