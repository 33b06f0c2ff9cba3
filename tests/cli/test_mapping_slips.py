"""Slips in the mapping that would otherwise be silent."""

import shutil

from commands import run


def test_check_names_what_of_the_mapping_meets_nothing_in_the_log(small):
    text = small.read_text()
    mapped = "{path: events.csv, columns: {feature: props.featur}, names: {veiw: page_viewed}, exclude: [bought]}"
    small.write_text(text.replace("{path: events.csv}", mapped))
    log = small.parent / "events.csv"
    header, *rows = log.read_text().splitlines()
    log.write_text("\n".join([f"{header},props", *(f'{row},"{{""feature"": ""export""}}"' for row in rows)]) + "\n")

    found = run("check", "--project", small)

    assert "mapping: no event 'veiw' in the log (did you mean 'view'?)" in found.stdout
    assert "mapping: no event 'bought' in the log" in found.stdout
    assert "mapping: `feature: props.featur` has no value in any row" in found.stdout


def test_scoring_again_takes_away_the_page_of_the_run_before(world, trained):
    def call(command):
        return run(command, "--project", world, "--output", trained)

    call("score")
    page = next((trained / "nights").glob("*")) / "leads.html"
    call("report")
    assert page.is_file()

    call("score")

    assert not page.exists()
    shutil.rmtree(trained / "nights")
