"""How a tracker's log translates to canonical events."""

from pydantic import Field

from pls_ml.core.tables import TableSource


class EventSource(TableSource):
    """The usage log: where it is, and what its names mean."""

    names: dict[str, str | tuple[str, ...]] = {}
    """Tracker's event name → canonical name, or several. Names not listed stay as they are."""
    exclude: tuple[str, ...] = ()
    """Tracker's names that must never reach a signal, such as the outcome itself and what follows it."""
    invitations: bool = False
    """Whether `users.invited_by` gives `invite_accepted` events, for a log that does not record them."""
    dedupe_days: int = Field(default=30, ge=1, le=366)
    """An event whose id became known at most this many days before is the same event again."""
    max_quarantine_share: float = Field(default=0.2, ge=0, le=1)
    """The run stops when a larger share of rows than this is unusable."""

    def pairs(self) -> list[tuple[str, str]]:
        """Takes nothing; returns (tracker's name, canonical name) pairs."""
        return [(raw, name) for raw, names in self.names.items() for name in ((names,) if isinstance(names, str) else names)]
