"""What machines read: one JSON document on stdout, without NaN."""

from pathlib import Path

import pytest
from commands import plain_json, run


@pytest.fixture(scope="session")
def receipts(world, night):
    lead = plain_json(night)["handoffs"][0]["lead_id"]
    return plain_json(run("explain", lead, "--project", world, "--json"))


def test_check_counts_what_the_data_hold(world):
    found = plain_json(run("check", "--project", world, "--json"))

    assert found["tables"]["accounts"] == 250
    events = found["events"]
    assert events["read"] == events["kept"] + events["duplicates"] + sum(events["excluded"].values()) + sum(events["quarantined"].values())
    assert found["labels"]["positives"] > 0
    assert [twin["event"] for twin in found["twins"]] == ["upgrade_completed"]
    assert not set(found["computable"]) & set(found["not_computable"])


def test_check_says_the_same_to_a_person(world):
    found = plain_json(run("check", "--project", world, "--json"))

    text = run("check", "--project", world).stdout

    assert f"events: {found['events']['kept']:,} of {found['events']['read']:,} kept" in text
    assert f"{found['labels']['rows']:,} matured, {found['labels']['positives']:,} of them won" in text
    assert "leak: event 'upgrade_completed' is a twin of the outcome" in text


def test_train_reports_the_comparison_and_the_saved_model(world, training):
    found = plain_json(training)

    assert (world.parent / "out" / "models" / found["version"] / "manifest.json").is_file()
    assert found["used"] in found["calibrators"]
    assert {"rules", "logistic"} <= set(found["calibrators"])
    assert found["tracked"] is None
    assert found["labels"]["positives"] < found["labels"]["rows"]


def test_score_reports_the_night_and_its_handoffs(night, training):
    found = plain_json(night)

    assert found["version"] == plain_json(training)["version"]
    assert found["leads"] > 0
    assert [h["position"] for h in found["handoffs"]] == list(range(1, len(found["handoffs"]) + 1))
    assert all(0 < h["score"] < 1 for h in found["handoffs"])


def test_scoring_again_prints_the_same(world, night):
    assert run("score", "--project", world, "--json").stdout == night.stdout


def test_explain_gives_receipts_that_add_up_to_the_score_of_the_night(night, receipts):
    first = plain_json(night)["handoffs"][0]
    used = receipts["receipts"][plain_json(night)["used"]]

    assert used["score"] == pytest.approx(first["score"], abs=1e-12)
    for receipt in receipts["receipts"].values():
        assert receipt["base"] + sum(line["probability"] for line in receipt["lines"]) == pytest.approx(receipt["score"], abs=1e-9)
    assert "rules" in receipts["receipts"]


def test_explain_is_of_the_lead_moment_and_model_of_the_night(night, receipts):
    found = plain_json(night)

    assert (receipts["lead_id"], receipts["as_of"], receipts["version"]) == (
        found["handoffs"][0]["lead_id"],
        found["as_of"],
        found["version"],
    )


def test_report_writes_the_page_of_the_latest_night(world, night):
    result = run("report", "--project", world)

    assert result.exit_code == 0
    page = Path(result.stdout.removeprefix("page: ").strip())
    assert page == Path(plain_json(night)["folder"]) / "leads.html"
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_promote_makes_the_newest_model_the_champion(world, training, trained):
    version = plain_json(training)["version"]

    result = run("promote", "--project", world, "--output", trained)

    assert (result.exit_code, result.stdout) == (0, f"champion: {version}\n")
    assert version in (trained / "models" / "champion.json").read_text()


def test_signals_says_how_much_it_wrote(small):
    result = run("signals", "--project", small, "--as-of", "2024-01-20")

    assert result.exit_code == 0
    assert result.stdout.startswith("5 rows × ")  # the account that bought is a customer by then
    assert (small.parent / "out" / "signals.parquet").is_file()
