"""Scored leads → the few that a salesperson should talk to now."""
