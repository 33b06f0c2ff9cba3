"""The timeline of a night's leads: which events people look for, and where the log tells of them."""

from __future__ import annotations

from typing import Any

from pls_ml.core.catalogue import Catalogue, event_filters
from pls_ml.events.actions import NO_ACTIONS, ActionSource, list_actions
from pls_ml.workflows.data import LoadedData

FAMILIES = ("intent", "collaboration", "feature_usage")
"""Families of signals whose events are worth a line of their own."""


def name_key_events(catalogue: Catalogue) -> list[str]:
    """Takes a catalogue; returns the canonical events that its signals of those families name, as far as reps may see them."""
    shown = [signal for signal in catalogue.signals if signal.family in FAMILIES and signal.rep_visible]
    return sorted({event for signal in shown for chosen in event_filters(signal) for event in chosen.events})


def build_timeline(data: LoadedData, catalogue: Catalogue) -> Any:
    """Takes loaded data with the `spine` of the night and the bundle's catalogue; returns the leads' latest key actions as Arrow."""
    if data.state is None:
        return NO_ACTIONS
    repeated = any(segment.repeated for segment in data.state.manifest.segments)
    source = ActionSource(data.grain, repeated, data.state.invitations)
    return list_actions(data.database, source, name_key_events(catalogue), catalogue.unit)
