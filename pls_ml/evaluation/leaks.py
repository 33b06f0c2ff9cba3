"""What a leak audit finds: each finding has a name that somebody can vouch for, a figure, its limit, a sentence and a next step."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pls_ml.core.errors import DataError, LeakageError
from pls_ml.evaluation.ranking import check_labels, group_by_score, roc_auc, sort_scores
from pls_ml.evaluation.tables import render_html

Floats = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]

MISSINGNESS, MODEL, RANDOM_GAP, DUPLICATES = "missingness", "model", "random_gap", "duplicates"
ID_ORDER, ROW_ORDER = "id_order", "row_order"
"""Names of findings that are about no single signal."""
MIN_WINNERS = 20
"""With fewer, an AUC above 0.90 is what chance makes of some honest signal; one winner alone is ranked first by one in ten."""


@dataclass(frozen=True)
class Finding:
    """One reason to stop: which test found it, what it is about, the figure above its limit, in words, and what to do."""

    test: str
    name: str
    figure: float
    limit: float
    sentence: str
    step: str = "drop or repair what knows the outcome"


@dataclass(frozen=True)
class SignalStrength:
    """One signal's ROC-AUC alone; NaN where it could not be judged."""

    signal: str
    auc: float


@dataclass(frozen=True)
class LeakAudit:
    """Every signal from the strongest, how much the pattern of gaps knows, and all findings, the vouched-for ones included.

    `not_judged` says of each test that could not run why.
    """

    signals: tuple[SignalStrength, ...]
    missingness: float
    findings: tuple[Finding, ...] = ()
    acknowledged: tuple[str, ...] = ()
    not_judged: dict[str, str] | None = None

    @property
    def suspects(self) -> tuple[Finding, ...]:
        """What training should stop for."""
        return tuple(found for found in self.findings if found.name not in self.acknowledged)

    @property
    def vouched(self) -> tuple[Finding, ...]:
        """What was found, and let pass because somebody vouched for it."""
        return tuple(found for found in self.findings if found.name in self.acknowledged)

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns the audit as plain JSON values, None for what could not be judged."""
        found = [asdict(one) | {"acknowledged": one.name in self.acknowledged} for one in self.findings]
        return {
            "signals": [{"signal": signal.signal, "auc": _finite(signal.auc)} for signal in self.signals],
            "missingness": _finite(self.missingness),
            "findings": found,
            "not_judged": self.not_judged or {},
        }

    def _repr_html_(self) -> str:
        told = {found.name: found.sentence for found in self.findings}
        rows = [(signal.signal, f"{signal.auc:.3f}", told.pop(signal.signal, "")) for signal in self.signals]
        return render_html(("signal", "AUC alone", "reason to suspect"), [*rows, *((name, "", told[name]) for name in told)])


@dataclass(frozen=True, eq=False)
class AuditRows:
    """n matured rows: signals (n × m), labels, ids of leads, of accounts and of `units` (whoever an outcome is of), times, and the parts.

    `train` and `test` are masks; rows may be in neither.
    """

    signals: pd.DataFrame
    labels: Floats
    leads: npt.NDArray[Any]
    accounts: npt.NDArray[Any]
    units: npt.NDArray[Any]
    as_of: npt.NDArray[np.datetime64]
    train: npt.NDArray[np.bool_]
    test: npt.NDArray[np.bool_]

    def __post_init__(self) -> None:
        """Takes nothing; returns nothing; refuses unequal lengths, and training rows of one class."""
        sizes = {name: len(getattr(self, name)) for name in self.__dataclass_fields__}
        if len(set(sizes.values())) != 1:
            raise DataError(f"{', '.join(f'{n} {name}' for name, n in sizes.items())}: expected one each per row")
        check_both(self.labels[self.train])

    def without(self, names: Iterable[str]) -> AuditRows:
        """Takes names of columns; returns the rows without them."""
        return AuditRows(**{**self.__dict__, "signals": self.signals.drop(columns=[n for n in names if n in self.signals])})

    def count_winners(self) -> int:
        """Takes nothing; returns how many of those an outcome is of ever win."""
        return int(won_by(self.units, self.labels)[1].sum())

    def first_rows(self) -> Index:
        """Takes nothing; returns the position of each lead's earliest row, in the order of `lead_codes`."""
        order = np.lexsort((self.as_of, pd.factorize(self.leads, sort=True)[0]))
        codes = pd.factorize(self.leads, sort=True)[0][order]
        return np.asarray(order[np.flatnonzero(np.diff(codes, prepend=-1))], np.int64)


def raise_if_leaking(audit: LeakAudit) -> None:
    """Takes an audit; returns nothing; raises `LeakageError` for what was found and nobody has vouched for."""
    if not audit.suspects:
        return
    steps: dict[str, list[str]] = {}
    for found in audit.suspects:
        steps.setdefault(found.step, []).append(found.sentence)
    told = "; ".join(f"{'; '.join(sentences)}: {step}" for step, sentences in steps.items())
    names = ", ".join(dict.fromkeys(found.name for found in audit.suspects))
    raise LeakageError(f"{told}; what was truly known at `as_of` goes under `model.acknowledge_leaks` ({names}) in the project file")


def find_area(scores: npt.ArrayLike, labels: npt.ArrayLike) -> float:
    """Takes n scores and n labels; returns the area under the ROC curve, NaN for one class."""
    return float(roc_auc(group_by_score(sort_scores(scores), labels))[0])


def check_both(labels: npt.ArrayLike) -> Floats:
    """Takes labels; returns them as doubles; refuses one class only."""
    truth = check_labels(labels)
    if not 0 < truth.sum() < truth.size:
        raise DataError(f"{truth.sum():.0f} of {truth.size} rows are positive: the audit needs both outcomes; use more rows")
    return truth


def won_by(groups: npt.NDArray[Any], labels: npt.ArrayLike) -> tuple[Index, Floats]:
    """Takes n group ids and n labels; returns the group of each row as a code, and whether each group ever has label 1."""
    codes, names = pd.factorize(groups, sort=True)
    won = np.zeros(len(names))
    np.maximum.at(won, codes, np.asarray(labels, np.float64))
    return codes.astype(np.int64), won


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
