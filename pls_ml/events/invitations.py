"""Who invited whom is usage too: the invitation worked when the invited user signed up."""

from __future__ import annotations

from collections.abc import Sequence

from pls_ml.core.atoms import Atom, coded_properties, read_properties
from pls_ml.core.database import Database, literal, quote
from pls_ml.core.windows import Grain
from pls_ml.events.log import EARLIEST, LATEST
from pls_ml.events.state import Codes, make_codes, roll_up

NAME = "invite_accepted"


def invited_rows(database: Database, grain: Grain, atoms: Sequence[Atom], codes: Codes) -> str:
    """Takes a database with `users`, the grain, atoms and codes; makes the view `invited`; returns the query of the state's rows of it.

    Such an event has no properties, no account but that of who invited, and is part of no session: nobody was there.
    """
    make_codes(database, {name: codes.get(name, ()) for name in coded_properties(atoms)})
    texts = set(read_properties(atoms)) - {"user_id", "account_id", "event"}
    numbers = {"micro_" + atom.of for atom in atoms if atom.kind == "sum"}
    empty = [f"CAST(NULL AS VARCHAR) AS {quote(name)}" for name in sorted(texts)]
    empty += [f"CAST(NULL AS BIGINT) AS {quote(name)}" for name in sorted(numbers)]
    tick = grain.to_tick("g.signup_at")
    database.execute(
        f"CREATE OR REPLACE VIEW invited AS SELECT i.user_id, CAST(NULL AS VARCHAR) AS account_id, {literal(NAME)} AS event, 0 AS name_no, "
        f"{tick} AS event_tick, {tick} AS known_tick, epoch_us(g.signup_at) AS event_us, CAST(0 AS BIGINT) AS idle_us"
        f"{''.join(', ' + column for column in empty)} "
        "FROM users AS g JOIN users AS i ON i.user_id = g.invited_by WHERE NOT coalesce(i.is_internal OR g.is_internal, FALSE) "
        f"AND g.signup_at >= {literal(EARLIEST)} AND g.signup_at < {literal(LATEST)}"
    )
    return roll_up("invited", atoms, codes)
