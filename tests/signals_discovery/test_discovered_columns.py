"""Which event properties and which columns of users and accounts become signals, by what they hold and by their names."""

from datetime import datetime

import pytest
from discovery_logs import discover, log_of, people

MANY = 120


def properties(**columns):
    """What is found of event properties."""
    found = discover(log_of("a", users=MANY, **columns))
    return {name: s for name, s in found.items() if name.endswith(("_sum", "_values", "_uses", "_share"))}


def attributes(users=MANY, **columns):
    """What is found of columns of users, by the column: the type."""
    found = discover(log_of("a"), people(users, **columns))
    return {s.measure.column: s.measure.type for s in found.values() if s.measure.kind == "attribute"}


def test_a_property_with_few_values_is_counted_and_its_values_shared_out():
    found = properties(tier=["free", "premium", "free"])

    assert sorted(found) == ["tier_free_share", "tier_free_uses", "tier_premium_share", "tier_premium_uses", "tier_values"]
    assert found["tier_premium_uses"].measure.where == {"tier": ("premium",)}
    assert found["tier_premium_share"].measure.numerator == "tier_premium_uses_90d"
    assert found["tier_premium_share"].measure.denominator == "events_90d"


def test_only_the_three_most_widespread_values_get_a_share():
    found = properties(page=["a", "a", "a", "b", "b", "c", "c", "d"])

    assert sorted(name for name in found if name.endswith("_share")) == ["page_a_share", "page_b_share", "page_c_share"]


@pytest.mark.parametrize(("values", "used"), [(1, False), (2, True), (200, True), (201, False)])
def test_a_property_needs_two_values_and_may_have_two_hundred(values, used):
    rows = log_of("a", users=600, code=[f"v{n}" for n in range(values)])

    assert ("code_values" in discover(rows)) is used


def test_a_numeric_property_is_summed():
    found = properties(seconds=[1.5, 2.0, 60.25])

    assert list(found) == ["seconds_sum"]
    assert found["seconds_sum"].windows == ("7d", "30d", "90d")
    assert found["seconds_sum"].measure.of == "seconds"


def test_numbers_written_as_text_are_summed_and_whole_ones_of_few_values_are_codes():
    found = properties(weight=["1.5", "2.25", "7"], desk=["112", "113", "118"])

    assert [name for name in found if name.endswith("_sum")] == ["weight_sum"]
    assert "desk_values" in found


def test_a_flag_is_a_property_with_two_values():
    found = properties(external=[True, False, None])

    assert found["external_true_uses"].measure.where == {"external": ("true",)}
    assert "external_sum" not in found


@pytest.mark.parametrize(
    "values",
    [
        [None],
        ["same"],
        [7.0],
        [1_700_000_000, 1_700_000_500],
        [f"2024-03-{n:02}" for n in range(1, 29)],
        ["ann@acme.example", "bob@acme.example"],
        [float(n) * 1e9 for n in (1, 2, 3)],
        ["x" * 200, "y" * 200],
        [float("nan"), 1.0],
    ],
    ids=["empty", "constant", "constant number", "epoch", "dates", "addresses", "too large", "sentences", "no number"],
)
def test_a_property_that_says_nothing_or_too_much_is_left_out(values):
    assert properties(thing=values) == {}


@pytest.mark.parametrize(
    "name", ["session_id", "userEmail", "ip", "page_url", "invoice_status", "gender", "subscription_type", "first_name", "comment"]
)
def test_a_property_with_a_telling_name_is_refused(name):
    assert properties(**{name: ["x", "y"]}) == {}


def test_the_contract_s_own_columns_are_no_properties():
    assert properties(session_id=["s1", "s2"], event_id=["e1", "e2"], name_no=[0, 1]) == {}


def test_an_excluded_property_or_column_is_left_out():
    found = discover(log_of("a", result=["x", "y"]), people(converted_to=["x", "y"]), exclude=("result", "converted_to"))

    assert not [name for name in found if "result" in name or "converted" in name]


def test_columns_are_numbers_or_categories_by_what_they_hold():
    found = attributes(
        source=["web", "ad", None], size=[1.5, 2.0, 80.0], amount=["20000", "5000", "120"], agreed=[True, False], flag=[0, 1], note=[None]
    )

    assert found == {"source": "category", "size": "number", "amount": "number", "agreed": "number", "flag": "number"}


def test_yes_no_columns_are_said_in_words():
    found = discover(None, people(agreed=[True, False], flag=[0, 1], size=[0, 1, 2]))

    assert {name: found[name].unit for name in found} == {"agreed_of_user": "yes/no", "flag_of_user": "yes/no", "size_of_user": ""}


@pytest.mark.parametrize(
    ("values", "used"),
    [
        (["x"], False),
        ([f"v{n}" for n in range(50)], True),
        ([f"v{n}" for n in range(51)], False),
        ([f"v{n}" for n in range(MANY)], False),
    ],
    ids=["one", "fifty", "fifty-one", "all different"],
)
def test_a_category_has_two_to_fifty_values_that_repeat(values, used):
    assert ("branch" in attributes(branch=values)) is used


def test_few_users_with_as_many_values_have_no_category():
    assert attributes(users=4, branch=["a", "b", "c", "d"]) == {}


@pytest.mark.parametrize(
    "values",
    [
        list(range(579_000, 579_000 + MANY)),
        ["2024-03-01", "2023-01-31"],
        ["2024-03-01T10:00:00", "2024-03-02 11:30"],
        [1_398_138_810.0, 1_396_237_504.0, None],
        [1_398_138_810_000, 1_396_237_504_000],
        [datetime(2024, 3, 1), datetime(2024, 3, 2)],
        ["ann@acme.example", "web"],
        [float("inf"), 1.0],
        [3],
    ],
    ids=["row numbers", "dates", "times", "seconds", "milliseconds", "stamps", "addresses", "infinite", "constant"],
)
def test_a_column_of_numbers_dates_or_addresses_that_name_the_row_is_left_out(values):
    assert attributes(thing=values) == {}


def test_row_numbers_are_told_by_never_repeating_not_by_being_whole():
    assert attributes(visits=list(range(MANY // 2))) == {"visits": "number"}


@pytest.mark.parametrize(
    "name",
    [
        "gender", "Age", "birth_year", "nationality", "Religion", "maritalStatus", "salutation",
        "owner", "segment", "contract_value", "mrr", "Tags", "Lead Quality", "Lead Profile", "Last Activity", "Last Notable Activity",
        "Asymmetrique Activity Index", "plan", "plan_tier", "seats", "churn_flag", "stage", "lost_reason", "is_customer", "status",
        "user_name", "company_name", "phone", "device_id", "last_session_creation_time", "invoice_count",
    ],
)  # fmt: skip
def test_protected_personal_and_leak_prone_columns_are_refused(name):
    assert attributes(**{name: ["x", "y", "z"]}) == {}
    assert attributes(**{name: [1.5, 2.5, 3.5]}) == {}


@pytest.mark.parametrize(
    "name",
    [
        "employee_count", "Total Time Spent on Website", "TotalVisits", "Lead Origin", "Lead Source", "packaging", "usage_page", "Country",
        "What is your current occupation", "amount_requested", "referral_source", "opted_in_to_mailing_list",
    ],
)  # fmt: skip
def test_honest_columns_are_not_refused_for_words_inside_words(name):
    assert attributes(**{name: ["x", "y", "z"]}) == {name: "category"}


def test_a_personal_name_is_allowed_where_the_column_only_says_yes_or_no():
    assert attributes(**{"Do Not Email": ["No", "Yes"], "has_phone": [True, False], "gender": ["a", "b"]}) == {
        "Do Not Email": "category",
        "has_phone": "number",
    }


def test_accounts_have_attributes_too_but_not_their_names_or_dates():
    accounts = [
        {"account_id": f"a{n}", "name": f"Co {n % 3}", "domain": f"d{n % 3}", "industry": ["x", "y"][n % 2], "employee_count": float(n % 7),
         "valid_from": ["v", "w"][n % 2]}
        for n in range(40)
    ]  # fmt: skip

    found = discover(log_of("a"), None, accounts)

    of_accounts = {name: s.measure.type for name, s in found.items() if s.measure.kind == "attribute"}
    assert of_accounts == {"employee_count_of_account": "number", "industry_of_account": "category"}
    assert found["industry_of_account"].label == "industry of the account"


def test_a_lead_table_without_a_log_gives_its_attributes_alone():
    found = discover(None, people(visits=[1.0, 2.0, 5.0], source=["web", "ad"]))

    assert sorted(found) == ["source_of_user", "visits_of_user"]
