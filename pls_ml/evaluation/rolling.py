"""Rolling origin: the same pipeline trained again and again on what had matured by then, and tested on what came after."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt

from pls_ml.core.errors import DataError
from pls_ml.core.windows import Horizon
from pls_ml.evaluation.splits import Mask, Times, check_rows, find_reach, share_of_groups


@dataclass(frozen=True)
class RollingSpec:
    """How many folds, and who is kept for their tests.

    The first fold begins when `first_share` of all rows have matured. With `by_account`, `account_share` of the accounts are kept out
    of a fold's training and are the only ones in its test: other accounts in every fold, so that a backtest is not about one draw.
    """

    folds: int = 5
    first_share: float = 0.1
    by_account: bool = True
    account_share: float = 0.35
    embargo_days: int = 0

    def __post_init__(self) -> None:
        """Takes nothing; returns nothing; refuses fewer than two folds, shares outside (0, 1) and a negative embargo."""
        if self.folds < 2:
            raise DataError(f"folds is {self.folds}: expected 2 or more, such as 5")
        for name in ("first_share", "account_share"):
            if not 0 < getattr(self, name) < 1:
                raise DataError(f"{name} is {getattr(self, name)}: expected a share above 0 and below 1, such as 0.1")
        if self.embargo_days < 0:
            raise DataError(f"embargo_days is {self.embargo_days}: expected 0 or more")


@dataclass(frozen=True, eq=False)
class RollingFold:
    """Row masks of one fold: what trains, what tests, and the rows of the test window whose account is in training.

    `trained_until` is the last `as_of` that trains, `test_start` and `tested_until` the first and the last of the test window.
    """

    train: Mask
    test: Mask
    known: Mask
    trained_until: datetime
    test_start: datetime
    tested_until: datetime


def rolling_folds(as_of: npt.ArrayLike, groups: npt.ArrayLike, horizon: Horizon | None, spec: RollingSpec) -> tuple[RollingFold, ...]:
    """Takes n times, n account ids, where outcomes count and the wishes; returns the folds, from the earliest test to the latest.

    From the moment when `first_share` of the rows have matured, the moments of the rows are cut into as many stretches as there are
    folds, of about equally many. A row trains when `as_of + gap + h + reporting lag + embargo` is not after the stretch begins, whatever
    its outcome. Refuses with `DataError` too few moments, and a fold with an empty part.
    """
    times, accounts = check_rows(as_of, groups)
    reach, place = find_reach(horizon, spec.embargo_days), share_of_groups(accounts, "rolling")
    stretches = np.array_split(_test_moments(times, reach, spec), spec.folds)
    folds = []
    for number, stretch in enumerate(stretches):
        reserved = (place - number / spec.folds) % 1.0 < spec.account_share if spec.by_account else np.zeros(times.size, np.bool_)
        train = _matured_before(times, stretch[0], reach) & ~reserved
        late = (times >= stretch[0]) & (times <= stretch[-1])
        test = late & reserved if spec.by_account else late
        if not (train.any() and test.any()):
            raise DataError(_explain_empty(stretch[0], "test" if train.any() else "training"))
        known = late & np.isin(accounts, np.unique(accounts[train]))
        folds.append(RollingFold(train, test, known, *(_moment(time) for time in (times[train].max(), stretch[0], stretch[-1]))))
    return tuple(folds)


def _matured_before(times: Times, start: np.datetime64, reach: timedelta) -> Mask:
    return (times + np.timedelta64(reach, "us") <= start) & (times < start)


def _test_moments(times: Times, reach: timedelta, spec: RollingSpec) -> Times:
    moments, ordered = np.unique(times), np.sort(times)
    matured = np.searchsorted(ordered + np.timedelta64(reach, "us"), moments, side="right")
    usable = moments[np.minimum(matured, np.searchsorted(ordered, moments)) >= max(1, spec.first_share * times.size)]
    if usable.size < spec.folds:
        first, last = moments[0].astype("datetime64[D]"), moments[-1].astype("datetime64[D]")
        raise DataError(
            f"{usable.size} moments are left to test for {spec.folds} folds: as_of runs from {first} to {last}, and outcomes take "
            f"{reach.days} days to mature; use fewer folds, a lower `first_share`, a denser grid, a shorter horizon or longer data"
        )
    return np.asarray(usable, "datetime64[us]")


def _explain_empty(start: np.datetime64, part: str) -> str:
    return (
        f"the {part} part of the fold that tests from {start.astype('datetime64[D]')} is empty: "
        "use fewer folds, longer data, or another `account_share`"
    )


def _moment(time: np.datetime64) -> datetime:
    return datetime.fromisoformat(str(time.astype("datetime64[us]"))).replace(tzinfo=UTC)
