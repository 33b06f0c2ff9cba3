"""The log as an Arrow table: flat, plain text columns, ordered by known time and id."""

import numpy as np
import pyarrow as pa

from pls_ml.synthetic.columns import format_ids, number_column, take_or_null, time_column
from pls_ml.synthetic.flaws import Log
from pls_ml.synthetic.users import user_ids
from pls_ml.synthetic.vocabulary import TEXT_PROPERTIES, external_values, property_values


def events_table(log: Log, users: int) -> pa.Table:
    """Takes the log and the number of users; returns the events table."""
    events = log.events
    kind = pa.array(events.kind)
    text = {name: property_values(name).take(kind) for name in TEXT_PROPERTIES}
    sessions = format_ids("s", np.arange(max(0, int(events.session.max(initial=-1))) + 1), 8)
    return pa.table(
        {
            "event_id": format_ids("e", log.number, 9),
            "event_time": time_column(events.time_us),
            "known_at": time_column(log.known_us),
            "user_id": take_or_null(user_ids(max(users, int(events.user.max(initial=0)) + 1)), events.user),
            "session_id": take_or_null(sessions, events.session),
            "event": property_values("event").take(kind),
            **{name: text[name] for name in ("feature", "tier", "resource", "topic", "tag")},
            "external": external_values().take(kind),
            **{name: text[name] for name in ("status", "step")},
            "value": number_column(events.value),
            "duration_s": number_column(events.duration_s),
        }
    )
