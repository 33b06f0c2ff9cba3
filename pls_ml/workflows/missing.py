"""What is missing for a better band, and for tonight's list: at night for the leads where people look, in `explain` for any one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pls_ml.accounts.buckets import find_hand_raisers
from pls_ml.accounts.rules import AccountRules
from pls_ml.core.protocols import Floats
from pls_ml.explanations.missing import Bools, Judge, Leads, Option, Step, find_missing
from pls_ml.explanations.step_words import say_step, say_value
from pls_ml.explanations.use import Index
from pls_ml.scores.card import Scorecard
from pls_ml.scores.scorecard import ScorecardClassifier
from pls_ml.workflows.bundle import Bundle
from pls_ml.workflows.signals import SignalTable

LIST = "tonight's list"
NEAREST = 200
"""Leads per target that a night looks at: those nearest to it."""
SAID = ("signal", "column", "before", "after", "words")
COLUMNS = ("lead_id", "scorer", "target", "option", "step", *SAID, "reaches")
"""Of a night's table: one row per step of an option; `reaches` is in points for a band, a probability for the list."""
PEERS = "peers"
"""The fact of a bundle without which nobody knows what is realistic: one trained before it was kept says nothing."""
NOTHING = "nothing realistic reaches it"


@dataclass(frozen=True)
class Tonight:
    """Who is handed over: the lowest raw score among them, and their accounts."""

    lowest: float
    account_keys: frozenset[str]

    @classmethod
    def of(cls, scores: pd.DataFrame, handoffs: pd.DataFrame) -> Tonight | None:
        """Takes a night's scores and handoffs; returns who is handed over, None where nobody is."""
        chosen = scores[scores["lead_id"].isin(handoffs["lead_id"])]
        return cls(float(chosen["raw_score"].min()), frozenset(chosen["account_key"])) if len(chosen) else None


@dataclass(frozen=True)
class Way:
    """One way to a target: what it reaches (points or a probability), and its steps in words and by column."""

    reaches: float
    steps: tuple[dict[str, str], ...]


@dataclass(frozen=True)
class Head:
    """A target: whose scores it is about, its name, and the goal and what the lead has now, in points or as probabilities.

    Held: the lead has enough, but the card asks for use of its own (D-3).
    """

    scorer: str
    target: str
    goal: float
    now: float
    held: bool


@dataclass(frozen=True)
class Missing:
    """What one lead misses of one target; no way where nothing realistic reaches it."""

    lead_id: str
    head: Head
    ways: tuple[Way, ...]

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values."""
        ways = [{"reaches": way.reaches, "steps": [dict(step) for step in way.steps]} for way in self.ways]
        return asdict(self.head) | {"ways": ways}

    def to_text(self) -> str:
        """Takes nothing; returns the ways in words, one per line."""
        held = ", held back for lack of use that the card asks for" if self.head.held else ""
        head = f"what is missing for {self.head.target} ({self._say(self.head.goal)}; now {self._say(self.head.now)}{held})"
        ways = [f"would have {self._say(way.reaches)} with {' and '.join(step['words'] for step in way.steps)}" for way in self.ways]
        return f"{head}: " + ("\n    or: ".join(ways) or NOTHING)

    def _say(self, value: float) -> str:
        return f"{value:.2%}" if self.head.target == LIST else f"{value:g} points"


@dataclass(frozen=True)
class Subjects:
    """n scored leads and their signals.

    Of each `lead_id`, `account_key`, `raw_score`, `points`, `band`, `segment`, why it is `blocked`, if so, and whether it is `open`:
    nothing but its own use keeps sales from it.
    """

    facts: pd.DataFrame
    values: pd.DataFrame

    @classmethod
    def of(cls, scores: pd.DataFrame, table: SignalTable) -> Subjects:
        """Takes scored leads in any order, and the signals of all of them; returns those leads with theirs."""
        place = pd.Series(np.arange(len(table.spine)), index=table.spine["lead_id"])
        return cls(scores.reset_index(drop=True), table.values.iloc[place[scores["lead_id"]].to_numpy()])

    def take(self, part: Any) -> Subjects:
        """Takes a mask or positions; returns those leads."""
        place = np.arange(len(self.facts))[part]
        return Subjects(self.facts.iloc[place], self.values.iloc[place])


def miss_band(bundle: Bundle, subjects: Subjects, most: int | None = None) -> list[Missing]:
    """Takes a bundle, leads, and how many of them to look at (None: all; those with the fewest points to go first).

    Returns what each misses of the next higher band of the card, its gate included. None for those in the best band.
    """
    card, classifier = _get_card(bundle), bundle.card
    if card is None or classifier is None or PEERS not in bundle.facts:
        return []
    goal = np.array([card.band_names.index(band) for band in subjects.facts["band"]], np.int64) - 1
    points = subjects.facts["points"].to_numpy(np.float64)
    to_go = np.array([band.bound for band in card.bands])[np.maximum(goal, 0)] - points
    nearest = [place for place in np.argsort(to_go, kind="stable").tolist() if goal[place] >= 0][:most]
    found = subjects.take(nearest)
    options = find_missing(_open(bundle, found), judge_band(classifier, card, goal[nearest]))
    name = next(name for name, scorer in bundle.scorers.items() if scorer is classifier)
    better = [card.bands[place] for place in goal[nearest]]
    heads = [Head(name, b.name, b.bound, float(x), bool(b.reached(x))) for b, x in zip(better, points[nearest], strict=True)]
    return _put_together(bundle, found, heads, [(option, option.reaches) for option in options])


def miss_list(bundle: Bundle, subjects: Subjects, tonight: Tonight | None, rules: AccountRules, most: int | None = None) -> list[Missing]:
    """Takes a bundle, leads, who is handed over, the account rules, and how many to look at (None: all; the best first).

    Returns what each misses of the lowest score that is handed over tonight, and of the card's leave to contact it (D-3). None for
    leads that have both or are barred, for those whose account is contacted anyway, and where nobody is handed over.
    """
    if tonight is None or PEERS not in bundle.facts:
        return []
    facts, raw = subjects.facts, subjects.facts["raw_score"].to_numpy(np.float64)
    outside = facts["open"] & ~facts["account_key"].isin(tonight.account_keys) & ((raw < tonight.lowest) | facts["blocked"].notna())
    best = np.argsort(-raw, kind="stable")
    nearest = best[outside.to_numpy(np.bool_)[best]][:most]
    found, scale = subjects.take(nearest), bundle.calibrators[bundle.used].transform
    options = find_missing(_open(bundle, found), judge_list(bundle, tonight.lowest, rules))
    reached = scale(np.array([option.reaches for option in options], np.float64)).tolist()
    goal, now = float(scale(np.array([tonight.lowest]))[0]), scale(raw[nearest]).tolist()
    heads = [Head(bundle.used, LIST, goal, has, held) for has, held in zip(now, (raw[nearest] >= tonight.lowest).tolist(), strict=True)]
    return _put_together(bundle, found, heads, list(zip(options, reached, strict=True)))


def judge_band(classifier: ScorecardClassifier, card: Scorecard, goals: Index) -> Judge:
    """Takes a fitted card and the place of the band each lead should reach; returns who judges: points, and that band or a better one."""
    place = {name: number for number, name in enumerate(card.band_names)}

    def judge(signals: pd.DataFrame, leads: Index) -> tuple[Floats, Bools]:
        scores = classifier.score_leads(signals)
        bands = np.array([place[band] for band in card.find_bands(scores)], np.int64)
        return scores.score, bands <= goals[leads]

    return judge


def judge_list(bundle: Bundle, lowest: float, rules: AccountRules) -> Judge:
    """Takes a bundle, a raw score and the account rules; returns who judges: the score, and whether the card lets sales call."""

    def judge(signals: pd.DataFrame, leads: Index) -> tuple[Floats, Bools]:
        raw = bundle.scorers[bundle.used].raw_score(signals)
        reached = raw >= lowest
        if bundle.card is not None:
            reached &= bundle.card.may_reach_out(signals) | find_hand_raisers(signals, rules.buckets)
        return raw, reached

    return judge


def list_missing(bundle: Bundle, subjects: Subjects, tonight: Tonight | None, rules: AccountRules) -> pd.DataFrame:
    """Takes a bundle, the night's leads, best first, who is handed over, and the account rules.

    Returns the table of what the leads nearest to each target miss. Where nothing realistic reaches it, that is one row of option and
    step 0.
    """
    found = [*miss_band(bundle, subjects, NEAREST), *miss_list(bundle, subjects, tonight, rules, NEAREST)]
    rows: list[tuple[Any, ...]] = []
    for one in found:
        head = (one.lead_id, one.head.scorer, one.head.target)
        steps = [(n, k, step, way.reaches) for n, way in enumerate(one.ways, 1) for k, step in enumerate(way.steps, 1)]
        rows += [(*head, n, k, *(step[name] for name in SAID), reaches) for n, k, step, reaches in steps]
        rows += [] if steps else [(*head, 0, 0, "", "", "", "", NOTHING, np.nan)]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return frame.astype(dict.fromkeys(COLUMNS, "str") | {"option": "int64", "step": "int64", "reaches": "float64"})


def miss_both(bundle: Bundle, subjects: Subjects, night: Path, rules: AccountRules) -> tuple[Missing, ...]:
    """Takes a bundle, leads, the folder of their night and the account rules; returns what they miss.

    Tonight's list is that of the night, where it was scored by this model and these leads were in it.
    """
    found, file = miss_band(bundle, subjects), night / "manifest.json"
    if not file.is_file() or json.loads(file.read_text(encoding="utf-8")).get("version") != bundle.version:
        return tuple(found)
    scores, handoffs = (pd.read_parquet(night / name) for name in ("scores.parquet", "handoffs.parquet"))
    scored = subjects.take(subjects.facts["lead_id"].isin(scores["lead_id"]).to_numpy())
    return (*found, *miss_list(bundle, scored, Tonight.of(scores, handoffs), rules))


def _get_card(bundle: Bundle) -> Scorecard | None:
    return bundle.card.card if bundle.card else None


def _open(bundle: Bundle, subjects: Subjects) -> Leads:
    return Leads(subjects.values, subjects.facts["segment"].tolist(), bundle.catalogue, bundle.facts[PEERS])


def _put_together(bundle: Bundle, subjects: Subjects, heads: Sequence[Head], options: Sequence[tuple[Option, float]]) -> list[Missing]:
    """One answer per lead, with or without ways: each option comes with what it reaches."""
    ways: dict[int, list[Way]] = {}
    for option, reaches in options:
        looked_at = card.signals if heads[option.lead].target != LIST and (card := _get_card(bundle)) else ()
        steps = tuple(_say(bundle, step, looked_at) for step in option.steps)
        ways.setdefault(option.lead, []).append(Way(reaches, steps))
    ids = subjects.facts["lead_id"].tolist()
    return [Missing(lead, head, tuple(ways.get(place, ()))) for place, (lead, head) in enumerate(zip(ids, heads, strict=True))]


def _say(bundle: Bundle, step: Step, looked_at: Sequence[str]) -> dict[str, str]:
    """A step in words, by the column that the card looks at, else by its shortest window."""
    columns = [bundle.catalogue.by_column[name] for name in step.values]
    column = min(columns, key=lambda c: (c.name not in looked_at, (c.window and c.window.length_us) or np.inf))
    before, after = (say_value(column, value) for value in step.values[column.name])
    said = (step.signal.id, column.name, before, after, say_step(step, column))
    return dict(zip(SAID, said, strict=True))
