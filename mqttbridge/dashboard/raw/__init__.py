"""A bucket's points as they were stored: to look through, to sum up, to take away."""
