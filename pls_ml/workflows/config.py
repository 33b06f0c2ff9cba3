"""The project file as one frozen object."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from zoneinfo import available_timezones

from pydantic import Field, field_validator, model_validator

from pls_ml.core.catalogue import Signal
from pls_ml.core.columns import Unit
from pls_ml.core.spec import Spec
from pls_ml.core.tables import TableSource
from pls_ml.core.windows import Horizon
from pls_ml.events.mapping import EventSource
from pls_ml.handoffs.capacity import Capacity
from pls_ml.labels.outcomes import FromOpportunities, OutcomeSource
from pls_ml.labels.population import Population
from pls_ml.labels.spine import CalendarSpine, SpineSource
from pls_ml.scores.growth import TreeSettings


class DataConfig(Spec):
    """Where the tables are; paths are relative to the project file."""

    events: EventSource | None = None
    users: TableSource | None = None
    accounts: TableSource | None = None
    subscriptions: TableSource | None = None
    opportunities: TableSource | None = None
    suppressions: TableSource | None = None
    workspaces: TableSource | None = None
    usage_limits: TableSource | None = None
    support_tickets: TableSource | None = None
    touches: TableSource | None = None
    """When sales contacted whom; with it, evaluations show how much contacts may flatter what sales followed."""
    assignments: TableSource | None = None
    """Whom chance allowed sales to contact (`treat`) and whom not (`holdout`)."""
    until: datetime | None = None
    """The end of the data, when it is not the last moment an event became known."""

    @model_validator(mode="after")
    def _something(self) -> DataConfig:
        if self.events is None and self.users is None:
            raise ValueError("give at least one of `events` and `users`")
        return self


class HorizonConfig(Spec):
    """How far ahead an outcome counts, in days."""

    horizon_days: int = Field(default=90, ge=1, le=3650)
    gap_days: int = Field(default=1, ge=0, le=365)
    lag_days: int = Field(default=0, ge=0, le=365)

    def to_horizon(self) -> Horizon:
        """Takes nothing; returns the horizon."""
        return Horizon(self.horizon_days, self.gap_days, self.lag_days)


class SignalsConfig(Spec):
    """Which signals: a shipped or own catalogue file (or 'discover': made from the log's own names), and definitions written here."""

    catalogue: str | None = "default"
    define: tuple[Signal, ...] = ()
    drop: tuple[str, ...] = ()
    grain: Literal["day", "hour", "minute"] = "day"
    timezone: str = "UTC"
    """Where days and weeks begin at midnight."""

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError(f"'{value}' is no known zone: write a name such as Europe/Berlin")
        return value


class SplitConfig(Spec):
    """What is held out: a later time, and accounts that training never saw."""

    test_start: datetime | None = None
    test_share: float = Field(default=0.3, gt=0, lt=1)
    by_account: bool = True
    account_share: float = Field(default=0.35, gt=0, lt=1)
    embargo_days: int = Field(default=0, ge=0)


class TuneConfig(Spec):
    """How long settings of the trees are searched: until so many were tried, or so many minutes are over in this run."""

    trials: int = Field(default=40, ge=1, le=10_000)
    minutes: float = Field(default=15, gt=0, le=10_000)


class BacktestConfig(Spec):
    """How the whole pipeline is tested again and again, forward in time; accounts and embargo are those of `split`."""

    folds: int = Field(default=5, ge=4, le=8)
    first_share: float = Field(default=0.1, gt=0, lt=1)
    """The first fold tests once this share of the rows has matured."""
    win_value: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    contact_cost: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """In the currency of `win_value`; by default the base rate of it, so that contacting leads at random breaks even."""


class ModelConfig(Spec):
    """How the learned scorers are fitted, and which one is used."""

    use: Literal["best", "rules", "repointed", "fitted_card", "logistic", "lightgbm", "lightgbm_from_rules"] = "best"
    seed: int = 7
    seeds: int = Field(default=3, ge=1, le=10)
    resamples: int = Field(default=1000, ge=100)
    acknowledge_leaks: tuple[str, ...] = ()
    trees: TreeSettings = TreeSettings()
    """How each tree is grown; with `tune`, the first setting that is tried."""
    tune: TuneConfig | None = None
    """A search for better settings on the training rows; none when left out."""


class TrackingConfig(Spec):
    """Where training runs are written down."""

    kind: Literal["mlflow", "none"] = "mlflow"
    uri: str | None = None
    """An MLflow tracking address; an SQLite file in the output folder when left out."""


class ResourceConfig(Spec):
    """Caps for one run."""

    threads: int = Field(default=2, ge=1)
    memory: str = Field(default="8GB", pattern=r"^\d+(MB|GB)$")


class ProjectConfig(Spec):
    """Everything a command needs to know, written once."""

    project: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")
    unit: Unit = "user"
    """What a lead is: a user (gives a PQL), or an account with all that its users do (gives a PQA)."""
    data: DataConfig
    outcome: OutcomeSource = FromOpportunities(kind="opportunities")
    horizon: HorizonConfig = HorizonConfig()
    spine: SpineSource = CalendarSpine(kind="calendar")
    population: Population = Population()
    signals: SignalsConfig = SignalsConfig()
    scorecard: str | None = "card_a"
    accounts: str = "default"
    """The rules for whole accounts: tiers, dimensions, matrix, segments, buyers."""
    policy: str = "default"
    """What may be said to whom: signals hidden from an audience, forbidden words, protected attributes."""
    split: SplitConfig = SplitConfig()
    backtest: BacktestConfig = BacktestConfig()
    model: ModelConfig = ModelConfig()
    handoff: Capacity = Capacity()
    tracking: TrackingConfig = TrackingConfig()
    resources: ResourceConfig = ResourceConfig()
    output: str = "out"

    @model_validator(mode="after")
    def _fits_the_unit(self) -> ProjectConfig:
        if self.unit == "account" and self.spine.kind == "order":
            raise ValueError("`unit: account` needs leads in time, and `spine.kind: order` lists users: use `calendar` or `age`")
        if self.unit == "account" and self.outcome.level == "user":
            raise ValueError(
                f"`unit: account` needs an outcome of accounts, and `outcome` (kind '{self.outcome.kind}') is one of users: "
                "use `level: account` with `kind: opportunities` or `kind: events`"
            )
        return self

    @property
    def timed(self) -> bool:
        """Whether rows have real times (and so a horizon), not just an order."""
        return self.spine.kind != "order"
