"""State × spine → signals, point in time."""
