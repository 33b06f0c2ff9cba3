"""Which rows train and which rows test: by time, by account, and never a label window that crosses the line."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pls_ml.core.errors import DataError
from pls_ml.core.windows import Horizon

Mask = npt.NDArray[np.bool_]
Times = npt.NDArray[np.datetime64]
Index = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class SplitSpec:
    """Where the test begins and who is kept for it.

    `test_start` as a moment (UTC when it carries no zone), or None: then `test_share` of the rows, the latest, lie after it.
    With `by_account`, `account_share` of the accounts are kept out of training and are the only ones in the test.
    """

    test_start: datetime | None = None
    test_share: float = 0.3
    by_account: bool = True
    account_share: float = 0.3
    embargo_days: int = 0

    def __post_init__(self) -> None:
        """Takes nothing; returns nothing; refuses shares outside (0, 1) and a negative embargo."""
        for name in ("test_share", "account_share"):
            if not 0 < getattr(self, name) < 1:
                raise DataError(f"{name} is {getattr(self, name)}: expected a share above 0 and below 1, such as 0.3")
        if self.embargo_days < 0:
            raise DataError(f"embargo_days is {self.embargo_days}: expected 0 or more")


@dataclass(frozen=True, eq=False)
class Split:
    """Row masks, and what they hold.

    `known` are the rows of the test window whose account is in training: with `by_account` they are apart from `test`, without
    it they are part of it. Rows in none of the masks have a label window that crosses `test_start`, or a reserved account
    before it, or an account that is neither reserved nor in training after it.
    """

    train: Mask
    test: Mask
    known: Mask
    test_start: datetime
    train_accounts: int
    test_accounts: int

    @property
    def counts(self) -> dict[str, int]:
        """Rows by part, the unused ones included, and accounts in training and test."""
        rows = {name: int(getattr(self, name).sum()) for name in ("train", "test", "known")}
        unused = int((~(self.train | self.test | self.known)).sum())
        return rows | {"unused": unused, "train_accounts": self.train_accounts, "test_accounts": self.test_accounts}


def split_rows(as_of: npt.ArrayLike, groups: npt.ArrayLike, horizon: Horizon | None, spec: SplitSpec) -> Split:
    """Takes n times, n account ids (own id where there is none), where outcomes count and the wishes; returns the split.

    Train: `as_of + gap + h + reporting lag + embargo ≤ test_start`, in accounts that are not reserved. Test: `as_of ≥ test_start`, in
    reserved
    accounts. Without a horizon (rows only ordered) a row trains when it lies before `test_start` by the embargo. Refuses with
    `DataError`: missing times, unequal lengths, an empty part.
    """
    times, accounts = check_rows(as_of, groups)
    start = _place_start(times, spec)
    reserved = share_of_groups(accounts, "split") < spec.account_share if spec.by_account else np.zeros(times.size, bool)
    reach = find_reach(horizon, spec.embargo_days)
    train = (times + np.timedelta64(reach, "us") <= start) & (times < start) & ~reserved
    late = times >= start
    test = late & reserved if spec.by_account else late
    known = late & np.isin(accounts, np.unique(accounts[train]))
    if not (train.any() and test.any()):
        raise DataError(_explain_empty(times, start, reach, "test" if train.any() else "training"))
    sizes = (int(np.unique(accounts[part]).size) for part in (train, test))
    return Split(train, test, known, start.astype(datetime).replace(tzinfo=UTC), *sizes)


def forward_folds(as_of: npt.ArrayLike, groups: npt.ArrayLike, n_time: int = 3, n_groups: int = 2) -> list[tuple[Index, Index]]:
    """Takes n times, n account ids and the numbers of blocks; returns (fit, validate) row indices, forward in time.

    Time is cut into `n_time` blocks of about equal rows (one moment is never cut). For each later block and each account fold:
    fit on earlier blocks in the other account folds, validate on the block in this fold. No account is ever on both sides. Where
    no account reaches into a second block, time alone keeps them apart and one account fold is used. Folds without rows on a
    side are left out; whether both classes are there is the caller's business. Refuses with `DataError` when no fold remains.
    """
    times, accounts = check_rows(as_of, groups)
    blocks = _cut_time(times, n_time)
    if not _straddling(accounts, blocks):
        n_groups = 1
    elif n_groups < 2:
        raise DataError("n_groups is 1, but some accounts have rows in several time blocks: use 2 or more")
    fold = (share_of_groups(accounts, "fold") * n_groups).astype(np.int64)
    found = []
    for block in range(1, n_time):
        for group in range(n_groups):
            fit = np.flatnonzero((blocks < block) & ((fold != group) | (n_groups == 1)))
            validate = np.flatnonzero((blocks == block) & (fold == group))
            if fit.size and validate.size:
                found.append((fit, validate))
    if not found:
        moments, people = np.unique(times).size, np.unique(accounts).size
        raise DataError(f"no fold has rows on both sides: {moments} distinct times, {people} accounts; widen the grid of as_of")
    return found


def share_of_groups(groups: npt.ArrayLike, salt: str) -> Floats:
    """Takes n ids and a purpose; returns each id's place in [0, 1), the same on every machine and in every run."""
    codes, names = pd.factorize(np.asarray(groups).astype(str))
    hashes = (hashlib.blake2b(str(name).encode(), digest_size=6, person=salt.encode()).digest() for name in names)
    # Six bytes: 48 bits over 2^48 are exact in a double and can never round up to 1.
    return np.array([int.from_bytes(value, "big") / 2**48 for value in hashes])[codes]


def find_reach(horizon: Horizon | None, embargo_days: int) -> timedelta:
    """Takes where outcomes count (None: rows are only ordered) and the embargo; returns how long before a test its training rows end."""
    return (horizon.end + timedelta(days=horizon.lag_days) if horizon else timedelta(0)) + timedelta(days=embargo_days)


def check_rows(as_of: npt.ArrayLike, groups: npt.ArrayLike) -> tuple[Times, npt.NDArray[Any]]:
    """Takes n times and n account ids; returns both as arrays; refuses missing ones, unequal lengths and no rows."""
    times, accounts = np.asarray(as_of).astype("datetime64[us]"), np.asarray(groups)
    if times.ndim != 1 or times.shape != accounts.shape or not times.size:
        raise DataError(f"{times.shape} times and {accounts.shape} account ids: expected two lists of one length, not empty")
    missing = int(np.isnat(times).sum())
    if missing or pd.isna(accounts).any():
        raise DataError(f"{missing} times and {int(pd.isna(accounts).sum())} account ids are missing: fill them before splitting")
    return times, accounts.astype(str)


def _place_start(times: Times, spec: SplitSpec) -> np.datetime64:
    if spec.test_start is None:
        return np.datetime64(np.sort(times)[int(times.size * (1 - spec.test_share))])
    moment = spec.test_start
    return np.datetime64(moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment, "us")


def _cut_time(times: Times, n_time: int) -> Index:
    _, place, rows = np.unique(times, return_inverse=True, return_counts=True)
    before = np.cumsum(rows) - rows
    return np.asarray((before * n_time // times.size)[place], np.int64)


def _straddling(accounts: npt.NDArray[Any], blocks: Index) -> bool:
    pairs = pd.DataFrame({"account": accounts, "block": blocks}).drop_duplicates()
    return bool(pairs["account"].duplicated().any())


def _explain_empty(times: Times, start: np.datetime64, reach: timedelta, part: str) -> str:
    first, last = times.min().astype("datetime64[D]"), times.max().astype("datetime64[D]")
    line = f"test_start is {start.astype('datetime64[D]')}, and a row trains only {reach.days} days or more before it"
    fix = "move test_start, use longer data or a shorter horizon, or change account_share"
    return f"the {part} part is empty: as_of runs from {first} to {last}, {line}; {fix}"
