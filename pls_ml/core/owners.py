"""Whose an event is: the account's that is written on it, else the account's its user belonged to when it happened."""

from pls_ml.core.windows import Grain

MOVES = "SELECT 1 FROM user_versions WHERE valid_from IS NOT NULL OR valid_to IS NOT NULL LIMIT 1"
"""The query that has a row when users or accounts have versions."""


def owned_rows(grain: Grain, moves: bool) -> str:
    """Takes the time grain and whether users have versions; returns the query of the state's rows with their `owner`, an account or none.

    Rows of internal users, and of users that nobody knows, are left out.
    """
    known = "FROM state AS e JOIN users AS u ON u.user_id = e.user_id"
    if not moves:
        return f"SELECT e.*, coalesce(e.account_id, u.account_id) AS owner {known} WHERE NOT coalesce(u.is_internal, FALSE)"
    event = "coalesce(e.event_tick, e.seen_tick)"
    held = f"o.user_id = e.user_id AND o.begun <= {event} AND o.ended > {event}"
    return (
        f"SELECT e.*, coalesce(e.account_id, o.account_id) AS owner {known} LEFT JOIN ({_versions(grain)}) AS o ON {held} "
        "WHERE NOT coalesce(u.is_internal, FALSE)"
    )


def _versions(grain: Grain) -> str:
    """Users' versions by ticks: at the end of which ticks each holds, which needs no stamp of a local midnight."""
    begun, ended = f"coalesce({grain.to_tick('valid_from')}, 0)", f"coalesce({grain.to_tick('valid_to')}, {2**62})"
    return f"SELECT user_id, account_id, {begun} AS begun, {ended} AS ended FROM user_versions"
