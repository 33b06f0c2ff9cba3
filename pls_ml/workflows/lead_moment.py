"""One lead at one moment: its signals by the same path as a night's, and how they were scored at an earlier one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from pls_ml.core.columns import Unit, lead_rows
from pls_ml.core.errors import BundleError, ConfigError, UnknownLeadError, suggest
from pls_ml.explanations.change_receipt import ChangeReceipt
from pls_ml.explanations.changes import Scoring, build_changes
from pls_ml.workflows.bundle import Bundle, load_bundle
from pls_ml.workflows.changes import KeptNight, LeadsNow, make_scoring, open_data, read_again, recall_night
from pls_ml.workflows.data import LoadedData, build_signals, place_moment
from pls_ml.workflows.nights import open_night, place_night
from pls_ml.workflows.project import Project
from pls_ml.workflows.score import build_night_spine
from pls_ml.workflows.signals import SignalTable, read_signals


@dataclass(frozen=True)
class Asked:
    """What a score is compared with: an earlier moment (None: the same) and a model (None: that of the moment's night, else the same)."""

    as_of: datetime | None
    version: str | None


def read_lead(project: Project, bundle: Bundle, data: LoadedData, lead_id: str, as_of: datetime | None) -> SignalTable:
    """Takes a project with a bundle's parameters, loaded data, a lead and an `as_of` as for `score`; returns the lead's signals.

    Refuses an unknown lead, and one that is not scored at that moment, with the reason.
    """
    moment = place_moment(data, as_of)
    _require_known(data, lead_id, project.config.unit)
    removed = build_night_spine(project, data, moment, all_past=as_of is None)
    data.database.execute("DELETE FROM spine WHERE lead_id <> ?", [lead_id])
    if not data.database.count("spine"):
        reason = data.database.rows("SELECT removed FROM screened WHERE lead_id = ? AND removed IS NOT NULL", [lead_id])
        why = reason[0][0] if reason else "it had not signed up, or is scored at another moment"
        raise UnknownLeadError(f"lead '{lead_id}' is not scored at {moment:%Y-%m-%d}: {why}; choose another moment")
    build_signals(project, data, bundle.catalogue)
    return read_signals(data, bundle.catalogue, removed)


def explain_change(lead_id: str, now: LeadsNow, asked: Asked) -> ChangeReceipt:
    """Takes a lead, how it is scored now, and what to compare with; returns why its score moved.

    What a night has kept is taken as it was then, everything else is computed again as a night would; at the moment of now itself the
    signals are the same, and only the models differ. Refuses a moment after that of now, and a lead that was not scored then, with the
    reason.
    """
    moment = _place(now, asked.as_of)
    night = _find_night(now, moment)
    version = asked.version or (night.version if night else now.bundle.version)
    bundle = now.bundle if version == now.bundle.version else load_bundle(now.project, version).under(now.project.policy())
    again = read_again(now, bundle)
    if moment == now.as_of:
        then = make_scoring(bundle, moment, again)
    else:
        then = _recall(lead_id, night, bundle) or _recompute(lead_id, now, bundle, moment)
    return build_changes(then, now.scoring, again, [lead_id]).one(lead_id)


def _place(now: LeadsNow, as_of: datetime | None) -> datetime:
    if as_of is None:
        return now.as_of
    if now.data.data_end is None:
        raise ConfigError("these leads have no times, so nothing can be said of an earlier moment: compare with a model alone")
    moment = as_of.astimezone(UTC).replace(tzinfo=None) if as_of.tzinfo else as_of
    if moment > now.as_of:
        raise ConfigError(
            f"`since` {moment:%Y-%m-%d %H:%M} lies after the moment that is explained ({now.as_of:%Y-%m-%d %H:%M}): choose an earlier one"
        )
    return moment


def _find_night(now: LeadsNow, moment: datetime) -> KeptNight | None:
    folder = place_night(now.project, moment)
    if not (folder / "manifest.json").is_file():
        return None
    try:
        return recall_night(open_night(folder))
    except BundleError as error:
        now.project.progress.note(f"that night is computed again: {error}")
        return None


def _recall(lead_id: str, night: KeptNight | None, bundle: Bundle) -> Scoring | None:
    """What the night kept of the lead, where it was scored by that model."""
    if night is None or night.version != bundle.version or lead_id not in night.signals.index:
        return None
    columns = [column.name for column in bundle.catalogue]
    return make_scoring(bundle, night.as_of, night.signals.loc[[lead_id], columns].reset_index(drop=True))


def _recompute(lead_id: str, now: LeadsNow, bundle: Bundle, moment: datetime) -> Scoring:
    project, data = bundle.apply(now.project), open_data(now, bundle)
    return make_scoring(bundle, moment, read_lead(project, bundle, data, lead_id, moment).values)


def _require_known(data: LoadedData, lead_id: str, unit: Unit) -> None:
    leads = f"({lead_rows(unit)})"
    if data.database.rows(f"SELECT 1 FROM {leads} WHERE lead_id = ?", [lead_id]):
        return
    nearest = f"SELECT lead_id FROM {leads} ORDER BY levenshtein(lead_id, ?), lead_id LIMIT 5"
    near = [row[0] for row in data.database.rows(nearest, [lead_id])]
    known = data.database.rows(f"SELECT count(*) FROM {leads}")[0][0]
    raise UnknownLeadError(f"no lead '{lead_id}' among {known:,} {unit}s{suggest(lead_id, near)}: check the id")
