"""Every kind of event the product can log, with its properties: one row per distinct combination.

An event carries the position of its kind; text columns are looked up once, at the end.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa

from pls_ml.synthetic.columns import Floats, Ints

PREMIUM_FEATURES = ("automation", "advanced_reports", "custom_fields", "forecasting", "permissions", "approval_flows")
PURCHASED_FEATURES = ("admin_console", "sso_login")
"""Features that exist only after the purchase: a model that uses them reads the outcome."""


@dataclass(frozen=True)
class Kind:
    """One distinct event: the group it is drawn from, its share of that group, its name and its properties."""

    group: str
    event: str
    share: float = 1.0
    feature: str | None = None
    tier: str | None = None
    resource: str | None = None
    topic: str | None = None
    tag: str | None = None
    external: bool | None = None
    status: str | None = None
    step: str | None = None


_FREE_FEATURES = (("editor", 6.0), ("dashboard", 5.0), ("search", 4.0), ("comments", 3.0), ("tasks", 3.0))
_FREE_RARE = (("calendar", 1.5), ("templates", 1.0), ("mobile_app", 1.0))

KINDS: tuple[Kind, ...] = (
    *(Kind(name, name) for name in ("signup", "activated", "session_start", "session_end", "api_call", "api_key_created")),
    *(Kind(name, name) for name in ("integration_connected", "invite_sent", "invite_accepted", "exported", "terms_viewed")),
    *(Kind(name, name) for name in ("pricing_viewed", "plans_compared", "upgrade_clicked", "upgrade_started", "contact_sales")),
    *(Kind("free_feature", "feature_used", share, feature=name, tier="free") for name, share in _FREE_FEATURES + _FREE_RARE),
    *(Kind("premium_feature", "feature_used", 1 / (2 + n), feature=f, tier="premium") for n, f in enumerate(PREMIUM_FEATURES)),
    *(Kind("purchased_feature", "feature_used", feature=name, tier="premium") for name in PURCHASED_FEATURES),
    Kind("upgrade_completed", "upgrade_completed"),
    Kind("invoice_downloaded", "invoice_downloaded"),
    *(Kind("limit_reached", "limit_reached", resource=name) for name in ("storage", "projects", "seats", "api_quota")),
    *(Kind("enterprise_requested", "enterprise_requested", tag=name) for name in ("sso", "scim", "audit_log")),
    *(Kind("support_commercial", "support_ticket", topic=name) for name in ("billing", "plans")),
    Kind("support_how_to", "support_ticket", topic="how_to"),
    Kind("support_bug", "support_ticket", topic="bug"),
    Kind("content_shared_outside", "content_shared", external=True),
    Kind("content_shared_inside", "content_shared", external=False),
    *(Kind("data_imported", "data_imported", share, status=s) for s, share in (("full", 5.0), ("partial", 3.0), ("failed", 2.0))),
    *(Kind("setup_step", "setup_step_completed", step=name) for name in ("profile", "workspace", "team", "notifications")),
)

TEXT_PROPERTIES = ("feature", "tier", "resource", "topic", "tag", "status", "step")


@cache
def kinds_of(group: str) -> Ints:
    """Takes a group; returns the positions of its kinds."""
    return np.array([place for place, kind in enumerate(KINDS) if kind.group == group], dtype=np.int64)


def draw_kinds(rng: np.random.Generator, group: str, count: int) -> Ints:
    """Takes a group and a count; returns that many positions of its kinds, drawn by their shares."""
    places = kinds_of(group)
    if len(places) == 1:
        return np.full(count, places[0], dtype=np.int64)
    shares = np.array([KINDS[place].share for place in places])
    edges: Floats = np.cumsum(shares) / shares.sum()
    return places[np.searchsorted(edges[:-1], rng.random(count), side="right")]


def property_values(name: str) -> pa.Array:
    """Takes the name of a text property or 'event'; returns its value for every kind, in the order of `KINDS`."""
    return pa.array([getattr(kind, name) for kind in KINDS], pa.string())


def external_values() -> pa.Array:
    """Takes nothing; returns the `external` flag of every kind, null where it has none."""
    return pa.array([kind.external for kind in KINDS], pa.bool_())
