"""The accounts: when they come, how big they are, what they do; and the accounts table."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pls_ml.core.windows import DAY_US
from pls_ml.synthetic.columns import Flags, Floats, Ints, choose, format_ids, number_column, time_column
from pls_ml.synthetic.world_spec import Span

INDUSTRIES = ("software", "fintech", "logistics", "retail", "healthcare", "education", "media", "manufacturing")
TARGET_INDUSTRIES = ("software", "fintech", "logistics")
REGIONS = ("emea", "amer", "apac")
_STEMS = ("Nor", "Vel", "Kast", "Orin", "Bram", "Tal", "Lum", "Quor", "Zeph", "Fen", "Grav", "Iskr", "Mar", "Pol", "Rud")
_ENDINGS = ("vik", "dano", "era", "mont", "tis", "aro", "wick", "lia", "bex", "sund")
_FORMS = ("Labs", "Group", "Systems", "GmbH", "Works", "Ltd", "Studio", "Partners")
# Names that break pages, spreadsheets and queries which forget to escape.
AWKWARD_NAMES = ("O'Brannagh Tools", "Ferrin & Dahl", "<b>Boldt</b> AG", "=SUM(Quorlia)", 'The "Sundera" Co', "Ömvik, Ærø & Søn")


@dataclass(frozen=True)
class Accounts:
    """One entry per account, ordered by creation; `employees` is NaN where nobody knows it, `size` is the truth."""

    created_us: Ints
    size: Floats
    employees: Floats
    industry: Ints
    region: Ints

    @property
    def in_target_industry(self) -> Flags:
        """Whether the account works in an industry the seller aims at."""
        return np.isin(self.industry, [INDUSTRIES.index(name) for name in TARGET_INDUSTRIES])


def draw_accounts(rng: np.random.Generator, count: int, span: Span) -> Accounts:
    """Takes a count and the span of the log; returns that many accounts, more of them early than late."""
    days = (span.end_us - span.start_us) // DAY_US
    day = np.floor((days - 2) * rng.random(count) ** 1.3)
    created = span.start_us + (day * DAY_US).astype(np.int64) + draw_office_hours(rng, count)
    size = np.clip(np.exp(rng.normal(np.log(60), 1.5, count)), 2, 20_000).round()
    employees = np.where(rng.random(count) < 0.12, np.nan, size)
    industry = rng.integers(0, len(INDUSTRIES), count)
    region = rng.choice(len(REGIONS), count, p=(0.45, 0.4, 0.15))
    return Accounts(np.sort(created), size, employees, industry, region)


def draw_office_hours(rng: np.random.Generator, count: int) -> Ints:
    """Takes a count; returns that many times of day in microseconds, most of them around midday."""
    hours = np.clip(rng.normal(13.5, 3.2, count), 0.1, 23.8)
    return (hours * (DAY_US // 24)).astype(np.int64)


def account_ids(count: int) -> pa.Array:
    """Takes a count; returns that many account ids."""
    return format_ids("a", np.arange(count), 5)


def domains(count: int) -> pa.Array:
    """Takes a count; returns that many distinct mail domains, all of them reserved for examples."""
    place = np.arange(count)
    stem = choose(tuple(text.lower() for text in _STEMS), place % len(_STEMS))
    ending = choose(_ENDINGS, place // len(_STEMS) % len(_ENDINGS))
    return pc.binary_join_element_wise(stem, ending, "-", pa.array(place).cast(pa.string()), ".example", "")


def accounts_table(rng: np.random.Generator, accounts: Accounts) -> pa.Table:
    """Takes the accounts; returns the accounts table, a few names of it awkward on purpose."""
    count = len(accounts.created_us)
    return pa.table(
        {
            "account_id": account_ids(count),
            "name": _names(rng, count),
            "domain": domains(count),
            "employee_count": number_column(accounts.employees),
            "industry": choose(INDUSTRIES, accounts.industry),
            "region": choose(REGIONS, accounts.region),
            "created_at": time_column(accounts.created_us),
        }
    )


def _names(rng: np.random.Generator, count: int) -> pa.Array:
    place = np.arange(count)
    stem = choose(_STEMS, place % len(_STEMS))
    ending = choose(_ENDINGS, place // len(_STEMS) % len(_ENDINGS))
    form = choose(_FORMS, rng.integers(0, len(_FORMS), count))
    plain = pc.binary_join_element_wise(pc.binary_join_element_wise(stem, ending, ""), form, " ")
    awkward = np.full(count, -1)
    awkward[rng.choice(count, len(AWKWARD_NAMES), replace=False)] = np.arange(len(AWKWARD_NAMES))
    return pc.coalesce(choose(AWKWARD_NAMES, awkward), plain)
