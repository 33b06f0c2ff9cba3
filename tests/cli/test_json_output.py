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


def test_check_describes_the_kept_state(world):
    found = plain_json(run("check", "--project", world, "--json"))

    state = found["state"]
    assert state["until"] == found["data_end"]
    assert state["segments"] >= 9  # the world is nine months and some days long
    assert state["bytes"] == sum(path.stat().st_size for path in (world.parent / "out" / "state").glob("*.parquet"))
    said = run("check", "--project", world).stdout
    size = f"{state['segments']} segments, {state['bytes'] / 1e6:,.1f} MB"
    assert f"state: kept until {state['until']}, {size}, digest {state['digest'][:12]}" in said


def test_check_names_leak_prone_inputs_and_who_reads_them(world):
    found = {one["name"]: one["read_by"] for one in plain_json(run("check", "--project", world, "--json"))["leak_prone"]}

    assert found == {"event 'invoice_downloaded'": ["invoice_downloads"], "event 'upgrade_completed'": ["upgrade_abandoned"]}
    said = run("check", "--project", world).stdout
    assert "leak-prone: event 'invoice_downloaded' mostly follows a purchase: read by invoice_downloads" in said


def test_check_names_leak_prone_columns_that_nothing_reads(small):
    users = small.parent / "users.csv"
    header, *rows = users.read_text().splitlines()
    users.write_text("\n".join([f"{header},account_owner", *(f"{row},rep" for row in rows)]) + "\n")

    found = plain_json(run("check", "--project", small, "--json"))["leak_prone"]

    reason = "is filled in or overwritten later, and the table has no history"
    assert {"name": "`users.account_owner`", "reason": reason, "read_by": []} in found
    assert f"leak-prone: `users.account_owner` {reason}: no signal reads it" in run("check", "--project", small).stdout


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


def test_repoint_says_rung_by_rung_what_changes_and_writes_the_card(world, tmp_path):
    found = plain_json(run("repoint", "--project", world, "--output", tmp_path, "--json"))

    assert (found["old_card"], found["path"]) == ("card_a", str(tmp_path / "cards" / "card_a_repointed.yaml"))
    assert Path(found["path"]).is_file()
    assert {rung["decision"] for rung in found["rungs"]} <= {"keep", "change", "retire"}
    assert found["changed"] == any(rung["old"] != rung["new"] for rung in found["rungs"])


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


def test_disagreements_lists_the_leads_of_the_latest_night_that_only_one_side_takes(world, night):
    found = plain_json(run("disagreements", "--project", world, "--json"))

    cells = plain_json(night)["cells"]
    assert found["cells"] == cells
    assert len(found["leads"]) == cells["rules only"] + cells["model only"]
    assert found["evidence"]["sentence"] in run("disagreements", "--project", world).stdout
    refused = run("disagreements", "--project", world, "--as-of", "2023-01-01")
    assert refused.exit_code == 4
    assert "no scored night of 2023-01-01" in refused.stderr


def test_explain_since_says_why_the_score_moved_in_lines_that_add_up(world, night, receipts):
    then, leads = "2024-10-04", [one["lead_id"] for one in plain_json(night)["handoffs"]]
    lead = next(one for one in leads if run("explain", one, "--as-of", then, "--project", world).exit_code == 0)

    change = plain_json(run("explain", lead, "--since", then, "--project", world, "--json"))["change"]
    said = run("explain", lead, "--since", then, "--project", world).stdout

    assert (change["then"]["as_of"], change["now"]["as_of"]) == (f"{then}T00:00:00", receipts["as_of"])
    assert sum(line["probability"] for line in change["lines"]) == pytest.approx(change["change"]["probability"], abs=1e-9)
    assert change["now"]["score"] - change["then"]["score"] == pytest.approx(change["change"]["probability"], abs=1e-12)
    assert f"score on {then} by {receipts['version']}" in said
    assert receipts["change"] is None


def test_report_writes_the_page_of_the_latest_night(world, night):
    result = run("report", "--project", world)

    assert result.exit_code == 0
    page = Path(result.stdout.removeprefix("page: ").strip())
    assert page == Path(plain_json(night)["folder"]) / "leads.html"
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_signals_says_how_much_it_wrote(small):
    result = run("signals", "--project", small, "--as-of", "2024-01-20")

    assert result.exit_code == 0
    assert result.stdout.startswith("5 rows × ")  # the account that bought is a customer by then
    assert (small.parent / "out" / "signals.parquet").is_file()
