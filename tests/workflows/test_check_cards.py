"""`pls-ml check --cards`: cards against a project's signals and leads, and without any."""

import json

import pytest
from click.testing import CliRunner

from pls_ml.cli import main
from pls_ml.core.errors import ConfigError
from pls_ml.workflows.api import open_project
from pls_ml.workflows.check_cards import check_cards

VIEWS = {"id": "views", "family": "use", "label": "views", "windows": ["7d", "30d"], "measure": {"kind": "count", "events": ["view"]}}
EXPORTS = {"id": "exports", "family": "use", "label": "exports", "windows": ["30d"], "measure": {"kind": "count", "events": ["exported"]}}
INVOICES = {"id": "invoices", "family": "use", "label": "invoices", "windows": ["30d"],
            "measure": {"kind": "count", "events": ["invoice_downloaded"]}}  # fmt: skip
AFTER = {"id": "after", "family": "use", "label": "after", "measure": {"kind": "rule", "all": [{"signal": "invoices_30d", "gte": 1}]}}
CARD = {
    "id": "mine",
    "bands": [{"name": "High", "gte": 60}, {"name": "Middle", "gte": 20}],
    "below": "Low",
    "multiplier": [{"name": "busy", "times": 2, "all": [{"signal": "views_30d", "gte": 20}]}],
    "rows": [
        {"id": "seen", "family": "use", "signal": "views_30d", "rungs": [{"gte": 1, "points": 10}]},
        {"id": "lately", "family": "use", "signal": "views_7d", "rungs": [{"gte": 5, "points": 5}]},
        {"id": "keen", "family": "use", "signal": "views_30d", "rungs": [{"gte": 500, "points": 4}]},
        {"id": "exported", "family": "use", "signal": "exports_30d", "rungs": [{"gte": 1, "points": 40}]},
    ],
}


def write_project(folder, card=CARD, signals=(VIEWS, EXPORTS), **more):
    """Five people who look at something on every day of January, and one who does so early on three days, and buys."""
    days = {f"u{i}": range(1, 32) for i in range(1, 6)} | {"u6": range(3, 6)}
    events = [f"{user},view,2024-01-{day:02}T10:00:00Z" for user, active in days.items() for day in active]
    events.append("u6,bought,2024-01-06T10:00:00Z")
    (folder / "events.csv").write_text("\n".join(["user_id,event,event_time", *events]) + "\n")
    (folder / "users.csv").write_text("\n".join(["user_id,account_id,signup_at", *(f"{u},a-{u},2024-01-01" for u in days)]) + "\n")
    (folder / "card.yaml").write_text(json.dumps(card))
    config = {
        "project": "small",
        "data": {"events": {"path": "events.csv"}, "users": {"path": "users.csv"}},
        "outcome": {"kind": "events", "won": ["bought"]},
        "population": {"min_age_days": 0, "min_events": 0, "exclude": []},
        "signals": {"catalogue": None, "define": list(signals)},
        "scorecard": "card.yaml",
        "resources": {"threads": 1, "memory": "2GB"},
    }
    (folder / "pls.yaml").write_text(json.dumps(config | more))
    return folder / "pls.yaml"


def rewrite_signals(path, **changes):
    config = json.loads(path.read_text())
    path.write_text(json.dumps(config | {"signals": config["signals"] | changes}))
    return path


@pytest.fixture
def report(tmp_path):
    return open_project(write_project(tmp_path)).check_cards()


def only(report):
    (card,) = report.cards
    return card


def find(card, code):
    return [one for one in card.findings if one.code == code]


def find_one(card, code):
    (found,) = find(card, code)
    return found


# --- on data -----------------------------------------------------------------------------------------------------


def test_a_signal_that_the_data_cannot_answer_is_named_with_the_reason(report):
    found = find_one(only(report), "not_computable")

    assert (found.severity, found.rows) == ("warning", ("exported",))
    assert found.reason == "'exports_30d' cannot be computed from these data: no event 'exported' in the log"


def test_rows_that_give_no_points_are_no_defect(tmp_path):
    unpaid = [row | {"rungs": [row["rungs"][0] | {"points": 0}]} for row in CARD["rows"][1:]]
    card = only(open_project(write_project(tmp_path, CARD | {"rows": [*CARD["rows"][:1], *unpaid]})).check_cards())

    assert find_one(card, "not_computable").severity == "note"  # the data cannot say who has it, and no score is the lower for it
    assert not {"never_fires", "rung_without_effect", "unreachable_here"} & {one.code for one in card.findings}


def test_bands_that_only_such_a_signal_reaches_are_named_per_segment(report):
    busy, otherwise = find(only(report), "unreachable_here")

    assert (busy.segments, otherwise.segments) == (("busy",), ("otherwise",))
    assert busy.reason == "without the signals that these data lack, busy scores at most 38: High cannot be reached"


def test_rows_that_say_nothing_about_the_leads_are_named(report):
    assert find_one(only(report), "never_fires").rows == ("keen",)
    assert find_one(only(report), "always_fires").rows == ("seen",)


def test_the_leads_of_the_latest_moment_are_counted_by_segment_and_band(report):
    assert report.leads == "6 leads at 2024-02-01 00:00"
    assert only(report).leads.bands == {"busy": {"High": 0, "Middle": 5, "Low": 0}, "otherwise": {"High": 0, "Middle": 0, "Low": 1}}
    assert list(only(report).leads.bands) == ["busy", "otherwise"]
    assert only(report).leads.points["lately"] == (0, 5)


def test_the_whole_report_is_plain_json_with_every_finding_worst_first(report):
    found = json.loads(json.dumps(report.to_dict(), allow_nan=False))

    (card,) = found["cards"]
    assert card["card"] == "mine"
    assert [one["segment"] for one in card["reach"]] == ["busy", "otherwise"]
    ranks = [("error", "warning", "note").index(one["severity"]) for one in card["findings"]]
    assert ranks == sorted(ranks)


def test_the_text_fits_a_terminal_and_says_what_to_change(report):
    text = report.to_text()

    assert max(len(line) for line in text.splitlines()) <= 120
    assert "mine: 4 rows, " in text
    assert "5 leads in busy: High 0.0%, Middle 100.0%, Low 0.0%" in text
    assert "→ add what is missing, or leave it out" in text
    assert repr(report) == text


def test_a_page_of_it_shows_names_as_text_only(tmp_path):
    card = CARD | {"id": "<b>mine</b>"}

    page = open_project(write_project(tmp_path, card)).check_cards()._repr_html_()

    assert "<b>" not in page
    assert "&lt;b&gt;mine" in page


def test_leads_that_are_scored_once_are_looked_at_each_at_its_own_moment(tmp_path):
    report = open_project(write_project(tmp_path, spine={"kind": "age", "after": "7d"})).check_cards()

    assert report.leads == "6 leads each at its own moment"
    assert find_one(only(report), "never_fires").rows == ("keen",)


def test_without_an_eligible_lead_the_card_is_checked_alone(tmp_path):
    report = open_project(write_project(tmp_path, population={"min_events": 1000, "exclude": []})).check_cards()

    assert report.leads == "0 leads at 2024-02-01 00:00"
    assert only(report).leads is None
    assert find(only(report), "not_computable")


def test_several_cards_of_one_name_keep_their_own_leads(tmp_path):
    path = write_project(tmp_path)
    other = tmp_path / "other.yaml"
    other.write_text(json.dumps(CARD | {"rows": CARD["rows"][:1]}))

    first, second = open_project(path).check_cards(str(tmp_path / "card.yaml"), str(other)).cards

    assert (first.card, second.card) == ("mine", "mine")
    assert list(first.leads.points) == ["seen", "lately", "keen", "exported"]
    assert list(second.leads.points) == ["seen"]


def test_a_card_that_scoring_would_refuse_is_not_shown_any_lead(tmp_path):
    source = {"id": "source", "family": "fit", "label": "source",
              "measure": {"kind": "attribute", "table": "users", "column": "account_id", "type": "category"}}  # fmt: skip
    row = {"id": "came", "family": "fit", "signal": "source", "rungs": [{"gte": 1, "points": 5}]}

    card = only(open_project(write_project(tmp_path, CARD | {"rows": [*CARD["rows"], row]}, (VIEWS, EXPORTS, source))).check_cards())

    assert find_one(card, "text_signal").rows == ("came",)
    assert card.leads is None


def test_leaks_are_found_in_what_a_signal_reads_until_somebody_vouches_for_it(tmp_path):
    row = {"id": "paid", "family": "use", "signal": "after", "rungs": [{"gte": 1, "points": 5}]}
    given = CARD | {"rows": [*CARD["rows"], row]}, (VIEWS, EXPORTS, INVOICES, AFTER)

    found = find_one(only(open_project(write_project(tmp_path, *given)).check_cards()), "leak_prone")
    vouched = only(open_project(write_project(tmp_path, *given, model={"acknowledge_leaks": ["invoices"]})).check_cards())

    assert found.rows == ("paid",)
    assert found.reason == "'after' reads 'invoices', which reads event 'invoice_downloaded', which mostly follows a purchase"
    assert find(vouched, "leak_prone") == []


# --- without data ------------------------------------------------------------------------------------------------


def test_a_project_without_a_computable_signal_has_its_card_checked_and_the_reason_named(tmp_path):
    report = open_project(write_project(tmp_path, signals=(EXPORTS,))).check_cards()

    assert report.leads.startswith("no leads were looked at: none of the 1 declared signals can be computed")
    assert {one.rows for one in find(only(report), "unknown_signal")} == {("seen", "keen"), ("lately",)}


def test_a_project_whose_data_are_not_there_yet_has_its_card_checked(tmp_path):
    path = write_project(tmp_path)
    (tmp_path / "events.csv").unlink()

    report = open_project(path).check_cards()

    assert report.leads.startswith("no leads were looked at: ")
    assert only(report).reach[0].segment == "busy"


def test_signals_that_would_be_discovered_are_not_called_unknown_without_data(tmp_path):
    path = rewrite_signals(write_project(tmp_path), catalogue="discover", define=[])
    (tmp_path / "events.csv").unlink()

    report = open_project(path).check_cards()

    assert report.catalogue == "project 'small', which are found in the data"
    assert find(only(report), "unknown_signal") == []


def test_a_wrong_catalogue_is_refused_whatever_the_data(tmp_path):
    path = write_project(tmp_path)

    with pytest.raises(ConfigError, match=r"`signals\.drop` names 'viewz'"):
        open_project(rewrite_signals(path, drop=["viewz"])).check_cards()


def test_rows_of_a_dropped_signal_are_named_and_what_they_could_have_reached(tmp_path):
    card = only(open_project(rewrite_signals(write_project(tmp_path), catalogue="default", define=[VIEWS], drop=["exports"])).check_cards())

    assert find_one(card, "not_computable").reason.endswith("the project drops it (`signals.drop`)")
    assert find(card, "unknown_signal") == []
    assert find(card, "unreachable_here")


def test_shipped_cards_need_neither_data_nor_a_project():
    report = check_cards(None, ["card_a_literal", "card_b_literal"])

    assert [card.card for card in report.cards] == ["card_a_literal", "card_b_literal"]
    assert report.to_text().startswith("signals of the shipped catalogue; no project, so no leads were looked at")
    assert find_one(report.cards[1], "unreachable_band").severity == "error"
    assert find_one(report.cards[1], "leak_prone").rows == ("invoice_downloaded",)


@pytest.mark.parametrize("name", ["card_a", "card_a_literal", "card_b", "card_b_literal", "relax", "bpi2012"])
def test_every_shipped_card_prints_within_120_columns(name):
    text = check_cards(None, [name]).to_text()

    assert max(len(line) for line in text.splitlines()) <= 120


def test_a_project_without_a_card_is_told_how_to_name_one(tmp_path):
    project = open_project(write_project(tmp_path, scorecard=None))

    with pytest.raises(ConfigError, match="set `scorecard` in the project file, or name one with `--card`"):
        project.check_cards()


# --- the command -------------------------------------------------------------------------------------------------


def run(*arguments):
    return CliRunner().invoke(main, ["check", *(str(argument) for argument in arguments)])


def test_findings_are_no_error_of_the_command(tmp_path):
    done = run("--cards", "--json", "--project", write_project(tmp_path))

    assert done.exit_code == 0
    assert json.loads(done.stdout)["leads"] == "6 leads at 2024-02-01 00:00"


def test_a_card_is_looked_at_where_there_is_no_project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    done = run("--card", "card_b_literal", "--card", "card_a")

    assert done.exit_code == 0
    assert "card_b_literal: 14 rows, " in done.stdout
    assert "card_a: 28 rows, " in done.stdout


def test_a_project_that_is_named_must_be_there_even_for_a_card(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    done = run("--card", "card_a", "--project", "other.yaml")

    assert done.exit_code == 3
    assert "no project file at other.yaml" in done.stderr


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("card_c", "no shipped configuration 'scorecards/card_c.yaml' (did you mean 'scorecards/"),
        ("gone.yaml", "no scorecard at gone.yaml"),
    ],
)
def test_a_card_that_cannot_be_read_is_a_configuration_error(tmp_path, monkeypatch, name, says):
    monkeypatch.chdir(tmp_path)

    done = run("--card", name)

    assert done.exit_code == 3
    assert says in done.stderr


def test_without_a_project_and_a_card_the_project_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert run("--cards").exit_code == run().exit_code == 3
