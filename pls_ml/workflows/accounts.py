"""The accounts of a night: points, tiers, dimensions, matrix cells, segments and buyers at the moment of its scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from pls_ml.accounts.buckets import BUCKETS, HAND_RAISER, PQA, PQL, assign_buckets
from pls_ml.accounts.buyers import choose_plays, find_buyers
from pls_ml.accounts.dimensions import measure_dimensions
from pls_ml.accounts.growth import compare_users
from pls_ml.accounts.matrix import assign_cells, count_cells
from pls_ml.accounts.points import grant_points, sum_points
from pls_ml.accounts.rules import AccountRules
from pls_ml.accounts.segments import MOTIONS, assign_segments, estimate_acv
from pls_ml.accounts.tiers import SCORE, assign_tiers, count_tiers
from pls_ml.core.catalogue import Catalogue, references
from pls_ml.core.errors import ConfigError
from pls_ml.core.measures import AccountUsers, Attribute, LimitUse, NewUsers, OnColumns, Records
from pls_ml.scores.card import Scorecard
from pls_ml.signals.units import restore_twins
from pls_ml.workflows.account_members import (
    build_member_signals,
    count_users_before,
    describe_accounts,
    list_members,
    list_people_by_title,
)
from pls_ml.workflows.bundle import Bundle
from pls_ml.workflows.data import LoadedData
from pls_ml.workflows.inputs import follow_references
from pls_ml.workflows.project import Project
from pls_ml.workflows.signals import SignalTable

PEOPLE = (AccountUsers, NewUsers)
"""Measures that count people, idle ones too."""
COUNTED = {HAND_RAISER: "hand_raisers", PQL: "pqls", PQA: "pqas"}
SHOWN_ROWS = 20


@dataclass(frozen=True)
class ScoredAccounts:
    """A night's accounts, best first, and the rules they go by; `absent`: what the rules ask for and the model's signals do not have.

    `left_out`: rows of the card that depend on how many users there are, so that they take no part in an account's points.
    """

    table: pd.DataFrame
    rules: AccountRules
    absent: tuple[str, ...]
    left_out: tuple[str, ...]

    @property
    def tiers(self) -> pd.DataFrame:
        """A row per tier: its play, and how many accounts to expect in it on such a night."""
        return count_tiers(self.table["tier"], self.rules.tiers)

    @property
    def cuts(self) -> pd.DataFrame:
        """How many accounts are in each cell of the matrix, at its cuts and around them."""
        return count_cells(self.table["fit"].to_numpy(np.float64), self.table["usage"].to_numpy(np.float64), self.rules.matrix)

    @property
    def without_buyer(self) -> int:
        """Qualified accounts in which nobody is known who can buy."""
        return int((self.table["qualified"] & ~self.table["buyer_known"]).sum())

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values: accounts per tier, per cell at several cuts, and what was not known."""
        return {
            "accounts": len(self.table),
            "tiers": dict(zip(self.tiers["id"].tolist(), self.tiers["accounts"].tolist(), strict=True)),
            "qualified_without_buyer": self.without_buyer,
            "cells_by_cut": self.cuts.to_dict("records"),
            "absent": list(self.absent),
            "rows_left_out": list(self.left_out),
        }

    def to_text(self) -> str:
        """Takes nothing; returns the accounts per tier in a line, and in another what was not known of any."""
        if self.table.empty:
            return "accounts: none with a lead or an active user"
        tiers = ", ".join(f"{one.label} {one.accounts:,}" for one in self.tiers.itertuples())
        lines = [f"accounts: {len(self.table):,} ({tiers}); qualified ones without a known buyer: {self.without_buyer:,}"]
        lines += [f"not known of accounts: {', '.join(self.absent)}"] if self.absent else []
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return str(self.tiers.to_html(index=False)) + str(self.cuts.to_html(index=False)) + str(self.table.head(SHOWN_ROWS).to_html())


def score_accounts(project: Project, bundle: Bundle, data: LoadedData, moment: datetime, rules: AccountRules) -> ScoredAccounts:
    """Takes a bundle, data with tonight's `spine` of leads, the moment and the rules; returns the accounts, best first.

    Replaces the `spine` and its `signals`. Refuses rules that ask a whole account for a signal of one person.
    """
    card, whole = bundle.card.card if bundle.card else None, bundle.catalogue
    if whole.unit == "account":  # what follows looks at the people in them
        whole = restore_twins(whole, project.catalogue(data.database, data.grain))
    _check_signals(whole, rules)
    _note_card(project, card, rules)
    list_members(project, data, moment, rules.active_within)
    rows = card.rows if card else ()
    left_out = tuple(row.id for row in rows if any(_counts_people(whole, name) for name in row.signals))
    wanted = [*(name for row in rows for name in row.signals), *rules.signal_columns]
    people, signals = build_member_signals(data, _select(whole, wanted))
    lines = _sum_lines(card, people, signals, left_out)
    accounts = signals.set_axis(pd.Index(people["account_id"]))[~people["account_id"].duplicated().to_numpy()].sort_index()
    accounts = accounts[[name for name in rules.signal_columns if name in accounts.columns]]
    accounts = accounts.join(_compare(data, whole, accounts, moment, rules))
    lines = lines.join(grant_points(accounts, rules.signals))
    accounts.insert(0, SCORE, lines.sum(axis=1))
    table = _describe(data, accounts, rules).join(lines)
    asked = (*rules.signal_columns, *rules.growth.columns, *rules.lead_columns)
    absent = tuple(name for name in asked if name not in accounts.columns and name not in whole.by_column)
    return ScoredAccounts(_order(table, moment), rules, absent, left_out)


def sort_into_buckets(scored: ScoredAccounts, scores: pd.DataFrame, signals: SignalTable) -> tuple[pd.DataFrame, ScoredAccounts]:
    """Takes scored accounts, scored leads and the leads' signals; returns the leads with `bucket`, the accounts with their counts."""
    asked = [name for name in scored.rules.lead_columns if name in signals.values.columns]
    values = signals.values[asked].set_axis(signals.spine["lead_id"]).reindex(scores["lead_id"]).set_axis(scores.index)
    qualified = scored.table["account_id"][scored.table["qualified"]]
    own = scores["account_id"].isin(qualified).to_numpy(np.bool_)
    scores = scores.assign(bucket=assign_buckets(values.assign(band=scores["band"]), own, scored.rules.buckets))
    counts = {"leads": scores["account_id"].value_counts()}
    counts |= {COUNTED[b]: scores.loc[scores["bucket"] == b, "account_id"].value_counts() for b in BUCKETS if b in COUNTED}
    of_account = {name: scored.table["account_id"].map(count).fillna(0).astype(np.int64) for name, count in counts.items()}
    return scores, replace(scored, table=scored.table.assign(**of_account))


def _select(catalogue: Catalogue, columns: Sequence[str]) -> Catalogue | None:
    """The catalogue of these columns, as far as it has them, and of what they read."""
    found = [catalogue.by_column[name].signal.id for name in columns if name in catalogue.by_column]
    ids = [one for name in dict.fromkeys(found) for one in follow_references(catalogue, name)]
    return catalogue.select(ids) if ids else None


def _note_card(project: Project, card: Scorecard | None, rules: AccountRules) -> None:
    if card is None:
        project.progress.note("there is no scorecard: no lead is a PQL by its band, and no user's points count in its account's score")
    elif not set(rules.buckets.pql_bands) & set(card.band_names):
        wanted, known = ", ".join(rules.buckets.pql_bands), ", ".join(card.band_names)
        project.progress.note(f"no lead is a PQL: the card has none of the bands {wanted} of `buckets.pql_bands`; it has {known}")


def _check_signals(catalogue: Catalogue, rules: AccountRules) -> None:
    for name in rules.signal_columns:
        if name in catalogue.by_column and not _is_of_account(catalogue, name):
            raise ConfigError(
                f"the account rules ask for '{name}', a signal of one person, so an account has many values of it: "
                "name one with `scope: account`"
            )


def _is_of_account(catalogue: Catalogue, column: str) -> bool:
    signal = catalogue.by_column[column].signal
    if isinstance(signal.measure, OnColumns):
        return all(_is_of_account(catalogue, name) for name in references(signal))
    if isinstance(signal.measure, Attribute):
        return signal.measure.table == "accounts"
    return signal.scope == "account" or isinstance(signal.measure, Records | LimitUse | AccountUsers | NewUsers)


def _counts_people(catalogue: Catalogue, column: str) -> bool:
    """Whether a column depends on how many users the account has: an idle one would change it."""
    if column not in catalogue.by_column:
        return False
    signals = {signal.id: signal for signal in catalogue.signals}
    return any(isinstance(signals[one].measure, PEOPLE) for one in follow_references(catalogue, catalogue.by_column[column].signal.id))


def _sum_lines(card: Scorecard | None, people: pd.DataFrame, signals: pd.DataFrame, left_out: Sequence[str]) -> pd.DataFrame:
    """The lines of the card: of the active users, and of each row on the whole account."""
    if card is None:
        return sum_points(people, pd.DataFrame(index=people.index), ())
    points = pd.DataFrame(card.score_leads(signals).row_points, columns=[row.id for row in card.rows])
    account_rows = [row.id for row in card.rows if row.scope == "account" and row.id not in left_out]
    return sum_points(people, points.drop(columns=list(left_out)), account_rows)


def _compare(data: LoadedData, catalogue: Catalogue, accounts: pd.DataFrame, moment: datetime, rules: AccountRules) -> pd.DataFrame:
    """What the accounts gained in active users; nothing against a moment whose window begins before the log."""
    name, grain = rules.growth.of, data.grain
    nothing = pd.DataFrame(index=accounts.index)
    if name not in accounts.columns or accounts.empty or data.state is None:
        return nothing
    window = catalogue.by_column[name].window
    reach = (window.ticks(grain) if window else None) or 0
    tick, first = grain.tick_of(moment), data.state.manifest.segments[0].since
    ticks = {days: tick - days * grain.ticks_per_day for days in rules.growth.days}
    moments = {days: grain.start_of(before) for days, before in ticks.items() if before - reach >= first}
    one = _select(catalogue, [name])
    return compare_users(accounts[name], count_users_before(data, one, name, moments)) if one and moments else nothing


def _describe(data: LoadedData, accounts: pd.DataFrame, rules: AccountRules) -> pd.DataFrame:
    """Everything that is decided about the accounts from their score and signals, and these."""
    database, index = data.database, accounts.index
    facts = database.frame(describe_accounts(database, "members")).set_index("account_id").reindex(index)
    counts = "SELECT account_id, count(*) AS users, count(*) FILTER (WHERE is_active) AS active_users FROM members GROUP BY 1"
    people = list_people_by_title(database)
    buyers = people["account_id"][find_buyers(people, rules.buyers)]
    tier = assign_tiers(accounts, rules.tiers)
    tiers = dict(enumerate(rules.tiers, 1))
    dimensions = measure_dimensions(accounts, rules.dimensions)
    known = facts.assign(account_id=index, is_free_mail=False)
    segment = assign_segments(known, rules.segments)
    buyer_known = index.isin(buyers)
    return pd.DataFrame(
        {
            "account_name": facts["account_name"],
            "tier": tier,
            "tier_name": tier.map({number: one.label for number, one in tiers.items()}),
            "qualified": tier.map({number: one.qualified for number, one in tiers.items()}).astype(np.bool_),
            "play": choose_plays(tier, buyer_known, rules.tiers, rules.buyers),
            "buyer_known": buyer_known,
            "segment": segment,
            "motion": segment.map(MOTIONS),
            "estimated_acv": estimate_acv(known, rules.segments),
            "cell": assign_cells(dimensions["fit"].to_numpy(), dimensions["usage"].to_numpy(), rules.matrix.fit, rules.matrix.usage),
        },
        index=index,
    ).join([dimensions, database.frame(counts).set_index("account_id"), accounts])


def _order(table: pd.DataFrame, moment: datetime) -> pd.DataFrame:
    """Best first in a total order, with rank and moment."""
    ordered = table.rename_axis("account_id").reset_index().sort_values(["tier", SCORE, "account_id"], ascending=[True, False, True])
    ordered = ordered.reset_index(drop=True).assign(as_of=pd.Timestamp(moment), rank=np.arange(1, len(ordered) + 1))
    first = ["account_id", "account_name", "as_of", "rank", SCORE]
    return ordered[[*first, *(name for name in ordered.columns if name not in first)]]
