"""The policy on declared signals: what they say, and what they read."""

from __future__ import annotations

from collections.abc import Iterable

from pls_ml.core.atoms import atoms_of, read_properties
from pls_ml.core.catalogue import Signal
from pls_ml.core.errors import ConfigError
from pls_ml.core.measures import ActiveUsers, ActiveValues, Attribute
from pls_ml.explanations.policy import Policy
from pls_ml.signals.refusals import split_words


def refuse_faults(policy: Policy, signals: Iterable[Signal]) -> None:
    """Takes the policy and signals that somebody declared; returns nothing; refuses what they must not say or read, all of it at once."""
    faults = [f"  signal '{signal.id}': {fault}" for signal in signals if (fault := _find_fault(policy, signal))]
    if faults:
        raise ConfigError(
            f"{len(faults)} signal{'s break' if len(faults) > 1 else ' breaks'} the policy; reword or drop what is named, or give "
            "your own list under `policy:` if its words mislead here:\n" + "\n".join(faults)
        )


def hide_faults(policy: Policy, signals: Iterable[Signal]) -> list[Signal]:
    """Takes the policy and signals that were found in a log; returns them, hidden from people where their words break the policy."""
    hidden = {"rep_visible": False, "outreach_safe": False}
    return [signal.model_copy(update=hidden) if policy.find_fault(signal) else signal for signal in signals]


def _find_fault(policy: Policy, signal: Signal) -> str | None:
    for name in _find_inputs(signal):
        if attribute := policy.find_protected(split_words(name.split(".")[-1])):
            return f"it reads '{name}', and '{attribute}' is a protected attribute, which no score may use"
    return policy.find_fault(signal)


def _find_inputs(signal: Signal) -> list[str]:
    """Columns and event properties that the signal reads itself."""
    measure, found = signal.measure, [f"events.{name}" for name in read_properties(atoms_of(signal))]
    if isinstance(measure, Attribute):
        found.append(f"{measure.table}.{measure.column}")
    if isinstance(measure, ActiveUsers):
        found += [f"users.{name}" for name in measure.who]
    return [*found, f"users.{measure.column}"] if isinstance(measure, ActiveValues) else found
