"""What moved since an earlier moment: for a whole night, against the night before it, and for one lead, against any moment or model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pandas as pd

from pls_ml.core.catalogue import Catalogue
from pls_ml.core.errors import BundleError, PlsError
from pls_ml.explanations.change_receipt import Moment
from pls_ml.explanations.changes import Scoring, build_changes, name_no_change
from pls_ml.labels.spine import CalendarSpine
from pls_ml.workflows.bundle import Bundle, load_bundle, require_signals
from pls_ml.workflows.data import LoadedData, build_signals, load_data
from pls_ml.workflows.nights import NightFiles, find_earlier, open_night, place_night
from pls_ml.workflows.project import Project
from pls_ml.workflows.signals import SignalTable, read_signals


@dataclass(frozen=True)
class Since:
    """A night against the one before: `changes` say why the score of each lead of both moved; how many leads moved band, came, went."""

    moment: Moment
    changes: pd.DataFrame
    moved: int
    entered: int
    left: int

    def to_dict(self) -> dict[str, Any]:
        """Takes nothing; returns plain values: the earlier night, and the counts."""
        counts = {"moved_band": self.moved, "entered": self.entered, "left": self.left}
        return self.moment.to_dict() | counts

    def to_text(self) -> str:
        """Takes nothing; returns the counts in words."""
        counts = f"{self.moved:,} leads in another band, {self.entered:,} new, {self.left:,} no longer scored"
        return f"since the night {self.moment.to_text()}: {counts}"


@dataclass(frozen=True)
class KeptNight:
    """An earlier night: its moment, the model, the leads' bands by id, and their signals by id as that model read them."""

    as_of: datetime
    version: str
    bands: pd.Series[str]
    signals: pd.DataFrame


@dataclass(frozen=True)
class LeadsNow:
    """What a scoring is made of: the project with the model's parameters, the model, the data, the moment and the leads' signals."""

    project: Project
    bundle: Bundle
    data: LoadedData
    as_of: datetime
    table: SignalTable

    @property
    def scoring(self) -> Scoring:
        """How these leads are scored."""
        return make_scoring(self.bundle, self.as_of, self.table.values)

    def take(self, lead_ids: pd.Index[str]) -> LeadsNow:
        """Takes ids of leads that are there; returns the same for them alone, in their order."""
        places = pd.Index(self.table.spine["lead_id"]).get_indexer(lead_ids)
        spine, values = (frame.iloc[places].reset_index(drop=True) for frame in (self.table.spine, self.table.values))
        return replace(self, table=replace(self.table, spine=spine, values=values))


def make_scoring(bundle: Bundle, as_of: datetime, values: pd.DataFrame) -> Scoring:
    """Takes a bundle, a moment and n leads' signals; returns how the bundle's scorer in use scores them."""
    name = bundle.used
    return Scoring(Moment(as_of, bundle.version), bundle.scorers[name], bundle.calibrators[name], bundle.catalogue, values)


def recall_night(night: NightFiles) -> KeptNight:
    """Takes a night of leads with times; returns what a later one compares with; refuses one that was changed, or kept no signals."""
    bands = night.read("scores", ["lead_id", "band"]).set_index("lead_id")["band"]
    return KeptNight(night.moment, str(night.manifest["version"]), bands, night.read("signals").set_index("lead_id"))


def compare_with_night_before(now: LeadsNow, bands: pd.Series[str]) -> Since | None:
    """Takes a night's scoring and its leads' bands by id; returns what moved since the latest earlier night.

    None where there is none, as for leads that are scored once in their life; where the night, or its model, cannot be used any more, a
    note says why.
    """
    if not isinstance(now.project.config.spine, CalendarSpine):
        return None
    earlier = find_earlier(now.project, place_night(now.project, now.as_of), 1)
    if not earlier:
        return None
    try:
        return _compare(now, bands, recall_night(open_night(earlier[-1])))
    except PlsError as error:
        now.project.progress.note(f"nothing is said of what changed since {earlier[-1].name.removeprefix('as_of=')}: {error}")
        return None


def _compare(now: LeadsNow, bands: pd.Series[str], night: KeptNight) -> Since:
    bundle = now.bundle if night.version == now.bundle.version else load_bundle(now.project, night.version).under(now.project.policy())
    shared = bands.index.intersection(night.signals.index).sort_values()
    counts = len(bands.index.difference(night.bands.index)), len(night.bands.index.difference(bands.index))
    moment = Moment(night.as_of, night.version)
    if shared.empty:
        return Since(moment, name_no_change(), 0, *counts)
    leads = now.take(shared)
    again = read_again(leads, bundle)
    values = night.signals.loc[shared, list(again.columns)].reset_index(drop=True)
    changes = build_changes(make_scoring(bundle, night.as_of, values), leads.scoring, again, shared.tolist())
    moved = int((bands[shared].astype(str) != night.bands[shared].astype(str)).sum())
    return Since(moment, changes.to_frame(), moved, *counts)


def read_again(now: LeadsNow, then: Bundle) -> pd.DataFrame:
    """Takes leads now and another model; returns their signals of now as that model reads them; refuses data that lack one."""
    if now.bundle.version == then.version:
        return now.table.values
    if _covers(now.bundle, then):
        same: pd.DataFrame = now.table.values[[column.name for column in then.catalogue]]
        return same
    data = open_data(now, then)
    data.database.register("leads_now", _to_arrow(now.table.spine))
    data.database.execute(
        'CREATE OR REPLACE TABLE spine AS SELECT CAST(row_number() OVER (ORDER BY as_of, lead_id) AS BIGINT) AS "row", * FROM leads_now'
    )
    build_signals(now.project, data, then.catalogue)
    found = read_signals(data, then.catalogue, {})
    order = pd.Index(found.spine["lead_id"]).get_indexer(pd.Index(now.table.spine["lead_id"]))
    placed: pd.DataFrame = found.values.iloc[order].reset_index(drop=True)
    return placed


def open_data(now: LeadsNow, then: Bundle) -> LoadedData:
    """Takes leads now and another model; returns data that hold what its signals ask for: the same where they ask for nothing else."""
    if _covers(now.bundle, then) and now.bundle.frozen == then.frozen:
        return now.data
    _refuse_other_leads(now.bundle, then)
    data = load_data(then.apply(now.project), then.catalogue)
    require_signals(then, data)
    return data


def _refuse_other_leads(bundle: Bundle, other: Bundle) -> None:
    for what, one, two in zip(("unit", "signals.grain", "signals.timezone"), _measured_on(bundle), _measured_on(other), strict=True):
        if one != two:
            raise BundleError(f"`{what}` is {one} in {bundle.version} and {two} in {other.version}: their scores cannot be compared")


def _covers(bundle: Bundle, other: Bundle) -> bool:
    """Whether the signals of a bundle are, among others, all those of another one, measured in the same way."""
    known = _define(bundle.catalogue)
    return _measured_on(bundle) == _measured_on(other) and all(known.get(name) == how for name, how in _define(other.catalogue).items())


def _measured_on(bundle: Bundle) -> tuple[Any, ...]:
    return bundle.catalogue.unit, *(bundle.frozen["signals"].get(name) for name in ("grain", "timezone"))


def _define(catalogue: Catalogue) -> dict[str, Any]:
    """How each signal is measured, whatever is said about it."""
    return {s.id: s.model_dump(include={"scope", "measure", "windows", "missing"}) for s in catalogue.signals}


def _to_arrow(spine: pd.DataFrame) -> Any:
    import pyarrow as pa

    return pa.Table.from_pandas(spine, preserve_index=False)
