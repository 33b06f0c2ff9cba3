"""The kept state as the view `state`: all of it, or only what the signals of one moment and later can still see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pls_ml.core.atoms import Atom
from pls_ml.core.catalogue import Catalogue
from pls_ml.core.columns import Unit, lead_rows
from pls_ml.core.database import Database, quote
from pls_ml.core.measures import ActiveDays
from pls_ml.core.owners import MOVES
from pls_ml.core.windows import Grain
from pls_ml.events.invitations import invited_rows
from pls_ml.events.manifest import Manifest, Totals
from pls_ml.events.months import AHEAD_DAYS, EARLY_DAYS
from pls_ml.events.state import KEYS, columns_of
from pls_ml.events.store import StateStore


@dataclass(frozen=True)
class KeptState:
    """A state on disk, ready to be read: where it is, what it holds, the atoms wanted, its grain, and whether invitations count."""

    store: StateStore
    manifest: Manifest
    atoms: tuple[Atom, ...]
    grain: Grain
    invitations: bool

    def words(self) -> dict[str, list[str]]:
        """Takes nothing; returns the mask columns of every atom kept as bits."""
        codes = self.manifest.codes
        return {atom.name: columns_of(atom, codes) for atom in self.atoms if atom.kind == "bits"}

    def open(self, database: Database) -> None:
        """Takes a database; makes the view `state` of everything that is kept."""
        rows = self.store.files.read_rows(self.manifest.files, self.atoms, self.manifest.codes)
        self._make_view(database, [(rows, "event_tick", "greatest(event_tick, known_tick)")])

    def open_from(self, database: Database, catalogue: Catalogue, tick: int, reach: int) -> None:
        """Takes a database with `users`, the catalogue, the first tick that signals are wanted for and how many ticks they look back.

        Makes the view `state` of the sums of the far past and what became known since; of everything, where sums would not be exact.
        """
        totals = max((t for t in self.manifest.totals if t.until <= tick), key=lambda t: t.until, default=None)
        if totals is None or not self._is_exact(database, catalogue, totals):
            self.open(database)
            return
        seen, codes = "greatest(event_tick, known_tick)", self.manifest.codes
        since = min(tick - reach, totals.until) - AHEAD_DAYS * self.grain.ticks_per_day
        files = [file for segment in self.manifest.segments if segment.until > since for file in segment.files]
        recent = self.store.files.read_rows(files, self.atoms, codes)
        past = self.store.files.read_rows((totals.file,), self.atoms, codes)
        self._make_view(
            database,
            [(recent, "event_tick", f"CASE WHEN {seen} >= {totals.until} THEN {seen} END"), (past, "CAST(NULL AS BIGINT)", "known_tick")],
        )

    def _make_view(self, database: Database, sources: Sequence[tuple[str, str, str]]) -> None:
        """`sources`: rows, the SQL of the tick that windows go by, and that of the tick at which a row joins what lasts for life."""
        codes = self.manifest.codes
        if self.invitations:
            rows = invited_rows(database, self.grain, self.atoms, codes)
            sources = (*sources, (rows, "event_tick", "known_tick"))
        columns = [quote(column) for atom in self.atoms for column in columns_of(atom, codes)]
        keys = ", ".join((*KEYS, "coalesce(greatest(event_tick, known_tick), known_tick) AS seen_tick"))
        database.execute(
            "CREATE OR REPLACE VIEW state AS "
            + " UNION ALL ".join(
                f"SELECT {keys}, {window} AS window_tick, {life} AS life_tick, {', '.join(columns)} FROM ({rows})"
                for rows, window, life in sources
            )
        )

    def _is_exact(self, database: Database, catalogue: Catalogue, totals: Totals) -> bool:
        """Whether the sums tell all that lasting signals ask: not which days were active, nor which account a moved user was in."""
        lasting = [c for c in catalogue if c.window is None or c.window.length_us is None or c.window.from_signup]
        if any(isinstance(c.signal.measure, ActiveDays) and c.window is not None and c.window.is_lifetime for c in lasting):
            return False
        if any(c.signal.scope != "user" or catalogue.unit == "account" for c in lasting) and database.rows(MOVES):
            return False
        firsts = [
            self.grain.ticks(c.window.length_us or 0, c.window.name) for c in lasting if c.window is not None and c.window.from_signup
        ]
        return not firsts or not self._signs_up_late(database, totals, max(firsts), catalogue.unit)

    def _signs_up_late(self, database: Database, totals: Totals, ticks: int, unit: Unit) -> bool:
        """Whether a lead's first ticks from signup on go beyond the days that the sums keep apart for a user of it."""
        rows = self.store.files.read_rows((totals.file,), self.atoms, self.manifest.codes)
        belongs = "SELECT user_id, user_id AS lead_id FROM users"
        if unit == "account":
            belongs = f"SELECT user_id, account_id AS lead_id FROM user_versions UNION SELECT user_id, account_id FROM ({rows})"
        first = f"SELECT user_id, min(event_tick) AS first_tick FROM ({rows}) GROUP BY 1 HAVING count(*) > count(event_tick)"
        ends = f"{self.grain.to_tick('u.signup_at')} + {ticks}"
        kept_apart = f"t.first_tick + {EARLY_DAYS * self.grain.ticks_per_day}"
        leads = f"({belongs}) AS b USING (user_id) JOIN ({lead_rows(unit)}) AS u USING (lead_id)"
        return bool(database.rows(f"SELECT 1 FROM ({first}) AS t JOIN {leads} WHERE {ends} > {kept_apart} LIMIT 1"))
