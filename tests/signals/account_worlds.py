"""Small worlds in which the leads are accounts."""

from __future__ import annotations

from dataclasses import replace

from fakes.random_worlds import worlds
from fakes.worlds import World
from hypothesis import strategies as st
from signals.reference_past import Calendar, Past

from pls_ml.core.windows import Grain


def of_accounts(world: World, grain: Grain) -> World:
    """The same world with a spine of accounts: at every moment those with a customer who has signed up."""
    accounts = sorted({user.account_id for user in world.users if user.account_id is not None})
    pasts = {as_of: Past(world, Calendar(grain), as_of) for _, as_of in world.spine}
    spine = tuple((account, as_of) for as_of, past in pasts.items() for account in accounts if past.is_lead(account))
    return replace(world, spine=spine)


def account_worlds(grain: Grain, movers: bool | None = None) -> st.SearchStrategy[World]:
    """Random worlds that hold an account with a customer."""
    return worlds(grain, movers=movers).map(lambda world: of_accounts(world, grain)).filter(lambda world: bool(world.spine))
