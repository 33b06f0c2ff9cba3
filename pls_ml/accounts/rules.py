"""What is decided about accounts in numbers, as one declared thing; `configs/accounts/default.yaml` holds them, the code none."""

from __future__ import annotations

from pydantic import Field, field_validator, model_validator

from pls_ml.accounts.buckets import BucketRules
from pls_ml.accounts.buyers import BuyerRules
from pls_ml.accounts.dimensions import Dimensions
from pls_ml.accounts.growth import Growth
from pls_ml.accounts.matrix import MatrixCuts
from pls_ml.accounts.points import AccountSignal
from pls_ml.accounts.segments import SegmentRules
from pls_ml.accounts.tiers import SCORE, Tier
from pls_ml.core.spec import Spec
from pls_ml.core.windows import parse_duration


class AccountRules(Spec):
    """How accounts are scored, tiered, placed and met (SPEC §6); `active_within` says how long ago an active user's last event may lie."""

    active_within: str
    growth: Growth
    signals: tuple[AccountSignal, ...]
    tiers: tuple[Tier, ...] = Field(min_length=1)
    dimensions: Dimensions
    matrix: MatrixCuts
    segments: SegmentRules
    buyers: BuyerRules
    buckets: BucketRules

    _length_known = field_validator("active_within")(lambda value: parse_duration(value) and value)

    @model_validator(mode="after")
    def _consistent(self) -> AccountRules:
        for what, ids in (("signals", [s.id for s in self.signals]), ("tiers", [t.id for t in self.tiers])):
            if len(set(ids)) != len(ids):
                raise ValueError(f"`{what}` must have distinct ids; twice: {sorted({name for name in ids if ids.count(name) > 1})}")
        if self.tiers[-1].columns:
            raise ValueError(f"the last tier, '{self.tiers[-1].id}', has bounds: leave them out, so that every account has a tier")
        qualified = [tier.qualified for tier in self.tiers]
        if qualified != sorted(qualified, reverse=True):
            raise ValueError("a tier that is `qualified` stands below one that is not: put the qualified ones first")
        return self

    @property
    def signal_columns(self) -> tuple[str, ...]:
        """The signal columns of an account that are read, each once; what growth makes and the score are no signals."""
        asked = [name for signal in self.signals for bounds in signal.any for name in bounds.columns]
        asked += [name for tier in self.tiers for name in tier.columns]
        made = (SCORE, *self.growth.columns)
        return tuple(name for name in dict.fromkeys((self.growth.of, *asked, *self.dimensions.signals)) if name not in made)

    @property
    def lead_columns(self) -> tuple[str, ...]:
        """The signal columns of a lead that are read."""
        return tuple(dict.fromkeys(name for bounds in self.buckets.hand_raiser for name in bounds.columns))
