"""What becomes of signals where the leads are accounts: other words for some, no meaning for others."""

import pytest
from fakes.catalogues import default_catalogue

from pls_ml.core.catalogue import Catalogue
from pls_ml.core.database import Database
from pls_ml.signals.coverage import find_coverage
from pls_ml.signals.units import find_meaningless, take_of


def signal(name: str, measure: dict, *windows: str, label: str = "", **more) -> dict:
    return {"id": name, "family": "test", "label": label or name, "measure": measure, "windows": windows} | more


def of_accounts(*signals: dict) -> Catalogue:
    return take_of(Catalogue.model_validate({"signals": signals}), "account")


def labels(*signals: dict) -> dict[str, str]:
    return {one.id: one.label for one in of_accounts(*signals).signals}


VIEWS = signal("views", {"kind": "count", "events": ["page_viewed"]}, "7d", "30d", label="pages viewed")


def test_what_a_lead_does_is_said_to_be_done_in_the_account():
    assert labels(VIEWS, signal("age", {"kind": "age_days"}, label="days since signup")) == {
        "views": "pages viewed in the account",
        "age": "days since signup in the account",
    }


def test_what_is_made_of_it_is_said_so_too_however_far_away():
    share = signal("share", {"kind": "ratio", "numerator": "views_7d", "denominator": "views_30d"}, label="recent share")
    much = signal("much", {"kind": "rule", "all": [{"signal": "share", "gte": 0.5}]}, label="many lately")

    assert labels(much, share, VIEWS) == {
        "much": "many lately in the account",
        "share": "recent share in the account",
        "views": "pages viewed in the account",
    }


@pytest.mark.parametrize(
    "declared",
    [
        signal("people", {"kind": "account_users"}, label="people"),
        signal("limit", {"kind": "limit_use"}, label="limit used"),
        signal("size", {"kind": "attribute", "table": "accounts", "column": "employee_count"}, label="employees"),
        signal("busy", {"kind": "active_users"}, "7d", scope="account", label="active people"),
        signal("alone", {"kind": "count"}, "7d", label="actions of the Account"),
    ],
    ids=lambda one: one["id"],
)
def test_what_is_the_account_s_anyway_keeps_its_words(declared):
    assert labels(declared) == {declared["id"]: declared["label"]}


def test_signals_of_users_stay_as_they_are():
    assert take_of(default_catalogue(), "user") is default_catalogue()
    assert find_meaningless(default_catalogue()) == {}


def test_a_selection_is_of_the_same_leads():
    assert of_accounts(VIEWS).select(["views"]).unit == "account"


TEAM = signal("team_views", {"kind": "count", "events": ["page_viewed"]}, "30d", scope="account")


@pytest.mark.parametrize(
    ("declared", "reason"),
    [
        (signal("others", {"kind": "count"}, "7d", scope="colleagues"), "the leads are accounts, which have no colleagues"),
        (
            signal("rank", {"kind": "attribute", "table": "users", "column": "seniority", "type": "category"}),
            "the leads are accounts, and `users.seniority` belongs to one person; `kind: active_values` counts its values",
        ),
        (TEAM, "the leads are accounts, so 'views' says the same"),
        (TEAM | {"windows": ["90d"]}, None),
        (TEAM | {"missing": 1}, None),
        (TEAM | {"measure": {"kind": "count"}}, None),
        (signal("busy", {"kind": "active_users"}, "7d", scope="account"), None),
    ],
)
def test_a_signal_that_an_account_cannot_have_or_has_already_is_named_with_the_reason(declared, reason):
    assert find_meaningless(of_accounts(VIEWS, declared)) == ({declared["id"]: reason} if reason else {})


def test_signals_without_a_meaning_are_not_computable_nor_is_what_reads_them():
    size = signal("size", {"kind": "attribute", "table": "accounts", "column": "employee_count"})
    rank = signal("rank", {"kind": "attribute", "table": "users", "column": "seniority", "type": "category"})
    boss = signal("boss", {"kind": "rule", "all": [{"signal": "rank", "among": ["head"]}]})
    database = Database([], 1, "500MB")
    database.execute("CREATE TABLE accounts AS SELECT 'acme' AS account_id, 5.0 AS employee_count")
    database.execute("CREATE TABLE users AS SELECT 'u' AS user_id, 'head' AS seniority")

    found = find_coverage(database, of_accounts(boss, rank, size), None)

    assert [one.id for one in found.catalogue.signals] == ["size"]
    assert found.catalogue.unit == "account"
    assert list(found.not_computable) == ["boss", "rank"]
    assert found.not_computable["boss"] == "reads 'rank', which is not computable"


def test_the_shipped_signals_that_an_account_has_not_are_few_and_known():
    assert sorted(find_meaningless(take_of(default_catalogue(), "account"))) == [
        "account_activity_growth",
        "account_days_since_last",
        "account_enterprise_requests",
        "account_feature_uses",
        "account_premium_features",
        "account_pricing_views",
        "colleague_uses",
        "colleagues_active",
        "department",
        "free_mail",
        "seniority",
        "source",
    ]
