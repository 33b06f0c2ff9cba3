"""What happens to people outside sessions: they sign up, are invited, and some of them activate."""

import numpy as np

from pls_ml.core.windows import DAY_US
from pls_ml.synthetic.columns import Ints
from pls_ml.synthetic.event_batch import EventBatch, join_batches, make_batch
from pls_ml.synthetic.sessions import Habits
from pls_ml.synthetic.users import Users
from pls_ml.synthetic.vocabulary import kinds_of

_MINUTE_US = 60_000_000


def draw_lifecycle(rng: np.random.Generator, users: Users, habits: Habits) -> EventBatch:
    """Takes users and habits; returns sign-ups, activations, and the invitations that colleagues came on."""
    everybody = np.arange(len(users.account))
    signup = _events("signup", users.signup_us, everybody)
    delay = np.exp(rng.normal(np.log(50), 1.5, len(everybody))) * _MINUTE_US
    activated = rng.random(len(everybody)) < np.where(habits.stays, 0.85, 0.3)
    activation = _events("activated", (users.signup_us + delay.astype(np.int64))[activated], everybody[activated])
    guests = np.flatnonzero(users.inviter >= 0)
    hosts = users.inviter[guests]
    patience = np.minimum(5 * DAY_US, users.signup_us[guests] - users.signup_us[hosts])
    sent = users.signup_us[guests] - (patience * rng.random(len(guests))).astype(np.int64)
    accepted = _events("invite_accepted", users.signup_us[guests] + _MINUTE_US // 4, guests)
    return join_batches([signup, activation, _events("invite_sent", sent, hosts), accepted])


def _events(group: str, time_us: Ints, user: Ints) -> EventBatch:
    return make_batch(time_us, user, np.full(len(user), kinds_of(group)[0]))
