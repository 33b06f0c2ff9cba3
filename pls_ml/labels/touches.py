"""Whom sales contacted while an outcome was still open, and where chance decided about it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pls_ml.core.columns import Unit, holds_at
from pls_ml.core.database import Database
from pls_ml.core.errors import TableError
from pls_ml.core.windows import Horizon

ARMS = ("treat", "holdout")


@dataclass(frozen=True, eq=False)
class Contacts:
    """n rows of the spine: touched before the outcome; put into an experiment, and there into `treat`; and the chance of no `treat`.

    `chance` is 1 for rows in no experiment; `randomised` says whether anybody was held out at all.
    """

    contacted: npt.NDArray[np.bool_]
    assigned: npt.NDArray[np.bool_]
    treated: npt.NDArray[np.bool_]
    chance: npt.NDArray[np.float64]
    randomised: bool


def find_contacts(database: Database, horizon: Horizon, level: str, unit: Unit) -> Contacts | None:
    """Takes a database with `spine`, `outcomes`, `user_versions` and perhaps `touches` and `assignments`; returns whom sales contacted.

    A touch counts in `[as_of, as_of + gap + h)` and before the win; one of a colleague counts where the outcome is the account's.
    An assignment counts from when it was made, for good. Returns None without touches. Refuses touches that name nobody, and unknown arms.
    """
    if not database.has("touches"):
        return None
    touched = _touched(database, level)
    assigned = _assigned(database, level, unit) if database.has("assignments") else _NOBODY
    randomised = database.has("assignments") and bool(database.rows("SELECT 1 FROM assignments WHERE arm = 'holdout' LIMIT 1"))
    frame = database.frame(
        f'WITH seen AS ({_open_rows(horizon)}), touch AS ({touched}), chance AS ({assigned}), '
        "reached AS (SELECT DISTINCT r.\"row\" FROM seen AS r JOIN touch AS t ON t.key = r.key AND t.at >= r.as_of AND t.at < r.until), "
        'drawn AS (SELECT r."row", bool_or(c.treated) AS treated, sum(ln(c.share)) AS share FROM seen AS r '
        'JOIN chance AS c ON c.key = r.key AND c.at < r.until GROUP BY 1) '
        'SELECT m."row" IS NOT NULL AS contacted, d."row" IS NOT NULL AS assigned, coalesce(d.treated, false) AS treated, '
        'exp(coalesce(d.share, 0)) AS chance FROM seen AS r LEFT JOIN reached AS m ON m."row" = r."row" '
        'LEFT JOIN drawn AS d ON d."row" = r."row" ORDER BY r."row"'
    )  # fmt: skip
    reached, drawn, treated = (frame[name].to_numpy(np.bool_) for name in ("contacted", "assigned", "treated"))
    return Contacts(reached, drawn, treated, frame["chance"].to_numpy(np.float64), randomised)


_NOBODY = "SELECT NULL::VARCHAR AS key, NULL::TIMESTAMP AS at, false AS treated, 1.0 AS share WHERE false"


def _open_rows(horizon: Horizon) -> str:
    """Every row with whose outcome it shares, and until when that was open: the end of the horizon, or the win."""
    end = f"INTERVAL {int(horizon.end.total_seconds())} SECOND"
    won = (
        f'SELECT s."row", min(o.closed_at) AS at FROM spine AS s JOIN outcomes AS o ON o.lead_key = s.lead_key AND o.is_won '
        f"AND o.closed_at >= s.as_of AND o.closed_at < s.as_of + {end} GROUP BY 1"
    )
    until = f"coalesce(w.at, s.as_of + {end})"
    return f'SELECT s."row", s.lead_key AS key, s.as_of, {until} AS until FROM spine AS s LEFT JOIN ({won}) AS w ON w."row" = s."row"'


def _touched(database: Database, level: str) -> str:
    columns = database.columns("touches")
    has_user, has_account = ("user_id" in columns), ("account_id" in columns)
    if not (has_user or has_account):
        raise TableError("table 'touches' has neither `user_id` nor `account_id`: name yours under `data.touches.columns`")
    if level == "account":
        account = "t.account_id" if has_account else "NULL"
        return _of_account("touches", account, "t.user_id" if has_user else "NULL", "t.at", "")
    people = "SELECT t.user_id AS key, t.at FROM touches AS t WHERE t.user_id IS NOT NULL" if has_user else ""
    whole = "SELECT DISTINCT s.lead_key AS key, t.at FROM touches AS t JOIN spine AS s ON s.account_id = t.account_id"
    whole += " WHERE t.user_id IS NULL" if has_user else ""
    return " UNION ALL ".join(part for part in (people, whole if has_account else "") if part)


def _assigned(database: Database, level: str, unit: Unit) -> str:
    """Each assignment by whose outcome it is about, with the share of its experiment that was held out."""
    strange = database.rows("SELECT arm FROM assignments WHERE arm IS NULL OR arm NOT IN ('treat', 'holdout') LIMIT 1")
    if strange:
        raise TableError(f"table 'assignments' has the arm '{strange[0][0]}': expected {' or '.join(ARMS)}")
    experiment = "experiment" if "experiment" in database.columns("assignments") else "1"
    shares = f"SELECT *, avg(CAST(arm = 'holdout' AS DOUBLE)) OVER (PARTITION BY {experiment}) AS share FROM assignments"
    chance = ", t.arm = 'treat' AS treated, greatest(t.share, 1e-9) AS share"
    if level == "user" or unit == "account":
        return f"SELECT t.lead_id AS key, t.assigned_at AS at{chance} FROM ({shares}) AS t"
    return _of_account(f"({shares})", "NULL", "t.lead_id", "t.assigned_at", chance)


def _of_account(rows: str, account: str, user: str, at: str, more: str) -> str:
    """Rows by the account they name, else that of their user at the time, else the user alone."""
    key = f"coalesce({account}, v.account_id, 'user:' || {user})"
    joined = f"LEFT JOIN user_versions AS v ON v.user_id = {user} AND {holds_at('v', f'{at} + INTERVAL 1 MICROSECOND')}"
    return f"SELECT {key} AS key, {at} AS at{more} FROM {rows} AS t {joined}"
