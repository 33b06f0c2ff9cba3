"""What becomes of signals where the leads are accounts: other words for some, no meaning for others."""

from __future__ import annotations

from pls_ml.core.catalogue import Catalogue, Signal, references
from pls_ml.core.columns import Unit
from pls_ml.core.measures import AgeDays, Attribute, OnEvents

ACCOUNT = "account"


def take_of(catalogue: Catalogue, unit: Unit) -> Catalogue:
    """Takes a catalogue and what the leads are; returns its signals of those leads.

    Whatever a lead itself does, everybody in it does where it is an account: the label says so, unless it speaks of an account already.
    """
    if unit == "user":
        return catalogue
    labels = {s.id: f"{s.label} in the account" for s in catalogue.signals if _is_own(catalogue, s) and ACCOUNT not in s.label.lower()}
    signals = tuple(s.model_copy(update={"label": labels.get(s.id, s.label)}) for s in catalogue.signals)
    return Catalogue(signals=signals, unit=unit)


def find_meaningless(catalogue: Catalogue) -> dict[str, str]:
    """Takes a catalogue; returns each signal that its leads cannot have, with the reason; of users, all have a meaning."""
    if catalogue.unit == "user":
        return {}
    reasons = {signal.id: _why_not(catalogue, signal) for signal in catalogue.signals}
    return {name: reason for name, reason in reasons.items() if reason}


def restore_twins(catalogue: Catalogue, declared: Catalogue) -> Catalogue:
    """Takes the signals of accounts that a model reads and all declared ones; returns the former as signals of users.

    The declared signals of a whole account that say the same as one of its own join them: of its users, they no longer do.
    """
    known = {signal.id for signal in catalogue.signals}
    lost = (signal for signal in declared.signals if signal.id not in known)
    return Catalogue(signals=(*catalogue.signals, *(one for one in lost if any(_says_the_same(one, own) for own in catalogue.signals))))


def _is_own(catalogue: Catalogue, signal: Signal) -> bool:
    """Whether the signal says what the lead did or how old it is, by itself or by a signal it reads."""
    if isinstance(signal.measure, OnEvents | AgeDays):
        return signal.scope == "user"
    return any(_is_own(catalogue, catalogue.by_column[column].signal) for column in references(signal))


def _why_not(catalogue: Catalogue, signal: Signal) -> str | None:
    measure = signal.measure
    if signal.scope == "colleagues":
        return "the leads are accounts, which have no colleagues"
    if isinstance(measure, Attribute) and measure.table == "users":
        return f"the leads are accounts, and `users.{measure.column}` belongs to one person; `kind: active_values` counts its values"
    twin = next((other.id for other in catalogue.signals if _says_the_same(signal, other)), None)
    return f"the leads are accounts, so '{twin}' says the same" if twin else None


def _says_the_same(of_account: Signal, own: Signal) -> bool:
    """Whether both measure the same events in the same way: all that an account does is its own."""
    both = of_account.scope == "account" and own.scope == "user" and isinstance(own.measure, OnEvents)
    alike = (of_account.measure, of_account.missing) == (own.measure, own.missing)
    return both and alike and set(of_account.windows) <= set(own.windows)
