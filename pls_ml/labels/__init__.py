"""Opportunities → outcomes → labels for a horizon, on the leads that count."""
