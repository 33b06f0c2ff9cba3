"""Definitions in words, lineage, and which signals are known to leak."""

import pytest
from projects import open_config, read_demo

from pls_ml.core.builtin import find_builtin
from pls_ml.core.catalogue import Catalogue, Signal
from pls_ml.core.errors import LeakageError
from pls_ml.io.yaml import read_spec
from pls_ml.workflows.definitions import define_signal
from pls_ml.workflows.inputs import find_inputs, find_leak_risk, follow_references, set_aside_leaks


@pytest.fixture(scope="module")
def shipped():
    return read_spec(find_builtin("signals/default.yaml"), Catalogue, "catalogue")


def declare(kind, name="a", **given):
    """A signal; what does not belong to the signal itself belongs to its measure."""
    plain = {key: given.pop(key) for key in ("windows", "missing", "direction", "scope", "leak_risk") if key in given}
    return Signal.model_validate({"id": name, "family": "f", "label": name, "measure": {"kind": kind} | given} | plain)


@pytest.mark.parametrize(
    ("signal", "sentence"),
    [
        (declare("count", windows=["7d"]), "Number of events by the lead in the last 7 days."),
        (
            declare("count", windows=["7d", "first_14d", "lifetime"], events=["a", "b", "c"], where={"tier": ["x", "y"]}, scope="user"),
            "Number of events 'a', 'b' or 'c' (where 'tier' is 'x' or 'y') by the lead "
            "in the last 7 days / in the first 14 days / since signup.",
        ),
        (
            declare("sum", windows=["30d"], of="duration_s", scale=0.5, scope="colleagues"),
            "Sum of 'duration_s' over events by the other users of the lead's account in the last 30 days, times 0.5.",
        ),
        (
            declare("active_users", windows=["30d"], scope="account", who={"seniority": ["vp", "owner"]}),
            "Number of users of the lead's account with events in the last 30 days, of those whose `users.seniority` is 'vp' or 'owner'.",
        ),
        (
            declare("abandoned", windows=["30d"], started={"events": ["start"]}, completed={"events": ["done"]}),
            "1 when the lead had events 'start' in the last 30 days, 24h have passed, and no events 'done' came at or after them; else 0.",
        ),
        (
            declare("days_since_last", events=["a"], scope="account", missing=999),
            "Days to `as_of` from the last of events 'a' by all users of the lead's account; missing when there was none. "
            "Where it is missing, 999 stands in.",
        ),
        (
            declare("ratio", numerator="x", denominator="y", floor=7, cap=30, requires=[{"signal": "y", "gte": 7}]),
            "`x` divided by `y` (taken as at least 7, at most 30); missing unless `y` is at least 7.",
        ),
        (
            declare("rule", all=[{"signal": "x", "lt": 2}, {"signal": "y", "among": ["b"]}], any=[{"signal": "z", "gt": 1}]),
            "1 when `x` is less than 2 and `y` is 'b', and `z` is more than 1; else 0.",
        ),
        (declare("attribute", table="accounts", column="region", type="category"), "`accounts.region` of the lead's account, a category."),
    ],
)
def test_a_definition_says_what_is_counted_whose_with_which_filter_and_when(signal, sentence):
    assert define_signal(signal) == sentence


def test_every_shipped_signal_has_a_definition_of_its_own(shipped):
    sentences = [define_signal(signal) for signal in shipped.signals]

    assert len(set(sentences)) == len(sentences)
    assert all(sentence[0].isupper() or sentence[0] in "`1" for sentence in sentences)
    assert all(sentence.endswith(".") and "  " not in sentence for sentence in sentences)


def test_a_definition_stays_on_one_line_whatever_names_it_quotes():
    assert define_signal(declare("count", windows=["7d"], events=["a\nb\x1b[31m", "é'"])).isprintable()


def test_a_long_list_of_names_is_cut_short():
    names = [f"n{number}" for number in range(40)]

    assert "'n5' or 34 more" in define_signal(declare("latest", among=names))


@pytest.mark.parametrize(
    ("signal", "columns"),
    [
        (declare("count", windows=["first_7d"]), {"users.signup_at"}),
        (declare("count", windows=["7d"], where={"tier": ["x"]}), {"events.tier"}),
        (declare("distinct", windows=["7d"], of="feature"), {"events.feature"}),
        (declare("sum", windows=["7d"], of="value"), {"events.value"}),
        (declare("seconds_to_first", events=["a"]), {"users.signup_at", "events.event"}),
        (declare("active_users", windows=["7d"], scope="account", who={"role": ["x"]}), {"users.role", "users.account_id"}),
        (declare("active_values", windows=["7d"], scope="account", column="department"), {"users.department"}),
        (declare("attribute", table="users", column="source"), {"users.source"}),
        (declare("records", windows=["7d"], table="workspaces"), {"workspaces.created_at"}),
        (declare("limit_use"), {"usage_limits.used", "usage_limits.limit"}),
        (declare("account_users"), {"users.account_id", "users.signup_at"}),
    ],
)
def test_lineage_names_the_columns_that_are_read(signal, columns):
    assert columns <= set(find_inputs(signal).columns)


@pytest.mark.parametrize(
    ("signal", "of_users", "of_accounts"),
    [
        (declare("count", windows=["7d"], events=["a"]), set(), {"users.account_id", "events.account_id"}),
        (declare("sessions", windows=["7d"]), set(), {"users.account_id", "events.account_id"}),
        (declare("age_days"), set(), {"users.account_id"}),
        (declare("active_users", windows=["7d"], scope="account"), *[{"users.account_id", "events.account_id"}] * 2),
        (declare("attribute", table="users", column="source"), set(), set()),
        (declare("attribute", table="accounts", column="region"), *[{"users.account_id", "accounts.account_id"}] * 2),
        (declare("records", windows=["7d"], table="workspaces"), *[{"users.account_id", "workspaces.account_id"}] * 2),
        (declare("limit_use"), *[{"users.account_id", "usage_limits.account_id"}] * 2),
    ],
)
def test_lineage_names_what_says_whose_account_it_is(signal, of_users, of_accounts):
    def read_accounts(unit):
        return {column for column in find_inputs(signal, unit).columns if column.endswith(".account_id")}

    assert (read_accounts("user"), read_accounts("account")) == (of_users, of_accounts)


def test_a_signal_needs_what_it_refers_to_and_that_in_turn(shipped):
    assert follow_references(shipped, "icp_match") == ["industry", "target_industry", "employees", "icp_match"]
    assert follow_references(shipped, "events") == ["events"]


def test_every_signal_needs_only_itself_and_what_its_references_resolve_to(shipped):
    for signal in shipped.signals:
        assert shipped.select(follow_references(shipped, signal.id)).by_column.keys() >= {column.name for column in signal.columns}


# --- what is known to leak ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("signal", "reason"),
    [
        (declare("count", windows=["7d"], events=["view"], leak_risk="high"), "is declared leak-prone"),
        (
            declare("count", windows=["7d"], events=["view", "InvoiceOpened"]),
            "reads event 'InvoiceOpened', which mostly follows a purchase",
        ),
        (
            declare("sum", windows=["7d"], of="mrr_amount"),
            "reads event property 'mrr_amount', which mostly follows a purchase",
        ),
        (
            declare("attribute", table="accounts", column="subscription_plan"),
            "reads `accounts.subscription_plan`, which mostly follows a purchase, and the table has no history",
        ),
        (
            declare("attribute", table="accounts", column="CRM Owner"),
            "reads `accounts.CRM Owner`, which is filled in or overwritten later, and the table has no history",
        ),
        (
            declare("abandoned", windows=["7d"], started={"events": ["payment_started"]}, completed={"events": ["x"]}),
            "reads event 'payment_started', which mostly follows a purchase",
        ),
    ],
)
def test_a_leak_prone_input_is_known_by_its_name_whatever_the_author_says(signal, reason):
    assert find_leak_risk(signal, dated=()) == reason


@pytest.mark.parametrize(
    "signal",
    [
        declare("count", windows=["7d"], events=["pricing_viewed", "invite_sent"]),
        declare("abandoned", windows=["7d"], started={"events": ["upgrade_started"]}, completed={"events": ["upgrade_completed"]}),
        declare("attribute", table="accounts", column="employee_count"),
        declare("count", windows=["7d"], where={"plan": ["free"]}),
    ],
)
def test_what_is_known_at_the_time_is_no_leak(signal):
    assert find_leak_risk(signal, dated=()) is None


def test_a_column_with_history_is_no_leak():
    signal = declare("attribute", table="accounts", column="plan", type="category")

    assert find_leak_risk(signal, dated=()) is not None
    assert find_leak_risk(signal, dated={"accounts"}) is None


def test_of_the_shipped_signals_only_the_invoices_are_leak_prone(shipped):
    assert [signal.id for signal in shipped.signals if find_leak_risk(signal, dated=())] == ["invoice_downloads"]


class NoHistory:
    """A database whose tables do not say when their rows held."""

    def rows(self, sql):
        return []


def set_aside(tmp_path, *declared, define=(), acknowledge=()):
    defined = [signal.model_dump(mode="json", exclude_none=True) for signal in define]
    config = read_demo(signals={"define": defined}, model={"acknowledge_leaks": list(acknowledge)})
    return set_aside_leaks(open_config(config, tmp_path), NoHistory(), Catalogue(signals=(*declared, *define)))


PLAIN = declare("count", "views", windows=["7d"], events=["view"])
RISKY = declare("count", "bills", windows=["7d"], events=["invoice_sent"])
DERIVED = declare("ratio", "share", numerator="bills_7d", denominator="views_7d")


def test_a_leak_prone_signal_of_the_catalogue_is_left_out_with_those_that_read_it(tmp_path):
    kept, notes = set_aside(tmp_path, PLAIN, RISKY, DERIVED)

    assert [signal.id for signal in kept.signals] == ["views"]
    assert notes == (
        "signal 'bills' reads event 'invoice_sent', which mostly follows a purchase: left out; `model.acknowledge_leaks` lets it take part",
        "signal 'share' reads 'bills_7d', which is leak-prone: left out; `model.acknowledge_leaks` lets it take part",
    )


def test_a_leak_prone_signal_that_somebody_vouched_for_takes_part(tmp_path):
    kept, notes = set_aside(tmp_path, PLAIN, RISKY, DERIVED, acknowledge=["bills"])

    assert [signal.id for signal in kept.signals] == ["views", "bills", "share"]
    assert notes == ("acknowledged leak: signal 'bills' reads event 'invoice_sent', which mostly follows a purchase",)


@pytest.mark.parametrize("acknowledge", [(), ("share",)])
def test_a_leak_prone_signal_that_the_project_defines_is_refused(tmp_path, acknowledge):
    with pytest.raises(
        LeakageError, match=r"signal 'bills' reads event 'invoice_sent', .*: drop it, or list it under `model.acknowledge_leaks`"
    ):
        set_aside(tmp_path, PLAIN, define=[RISKY], acknowledge=acknowledge)


def test_a_signal_that_the_project_derives_from_a_leak_prone_one_is_refused(tmp_path):
    with pytest.raises(LeakageError, match="signal 'share' reads 'bills_7d', which is leak-prone: drop it"):
        set_aside(tmp_path, PLAIN, RISKY, define=[DERIVED])


def test_without_a_leak_prone_signal_the_catalogue_is_as_it_was(tmp_path):
    kept, notes = set_aside(tmp_path, PLAIN)

    assert (kept.signals, notes) == ((PLAIN,), ())
