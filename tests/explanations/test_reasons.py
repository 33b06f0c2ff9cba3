"""Which lines of a receipt are worth saying, on hand-made contributions."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pls_ml.calibration import InterceptCalibrator
from pls_ml.core.catalogue import Catalogue
from pls_ml.explanations.peers import Peers
from pls_ml.explanations.reasons import pick_reasons
from pls_ml.explanations.receipts import build_receipts

COUNT = {"kind": "count", "events": ["x"]}


def make_catalogue(*signals):
    return Catalogue.model_validate(
        {
            "signals": [
                {"id": f"s{n}", "family": "f", "label": f"label {n}", "unit": "times", "measure": COUNT, "windows": ["30d"]} | given
                for n, given in enumerate(signals)
            ]
        }
    )


class Seeded:
    """A scorer whose seeds give the shares they were told."""

    kind = "seeded"
    start_ = None

    def __init__(self, *seeds):
        self.seeds = [np.atleast_2d(np.array(one, float)) for one in seeds]

    def parts(self, signals):
        return (0.0, np.zeros(signals.shape)), ((0.0, one.copy()) for one in self.seeds)


EVEN = InterceptCalibrator().fit(np.array([-1.0, 1.0]), np.array([0, 1], np.int8))


def explain(scorer, catalogue, values=3.0):
    rows = len(scorer.seeds[0])
    frame = pd.DataFrame(values, index=range(rows), columns=[column.name for column in catalogue])
    return build_receipts(scorer, EVEN, frame, [f"lead-{n}" for n in range(rows)], catalogue)


def pick(scorer, catalogue, values=3.0):
    found = pick_reasons(explain(scorer, catalogue, values))
    return list(found[["lead_id", "place", "signal", "against"]].itertuples(index=False, name=None))


def test_at_most_three_speak_for_a_lead_and_one_against_it_the_strongest_first():
    found = pick(Seeded([[0.2, 0.5, -0.9, 0.4, 0.3, -0.2], [0.0, 0.0, 0.0, 0.05, -0.05, 0.2]]), make_catalogue(*[{}] * 6))

    assert found == [
        ("lead-0", 1, "s1", False), ("lead-0", 2, "s3", False), ("lead-0", 3, "s4", False), ("lead-0", 4, "s2", True),
        ("lead-1", 1, "s5", False),
    ]  # fmt: skip


def test_signals_of_the_same_size_come_in_the_order_of_their_names():
    assert [signal for _, _, signal, _ in pick(Seeded([[0.5] * 5]), make_catalogue(*[{}] * 5))] == ["s0", "s1", "s2"]


def test_what_is_hidden_from_reps_leaves_its_place_to_the_next():
    assert [signal for _, _, signal, _ in pick(Seeded([[0.5, 0.4]]), make_catalogue({"rep_visible": False}, {}))] == ["s1"]


@pytest.mark.parametrize(
    ("shares", "steady"),
    [
        ([0.5], True),
        ([0.5, 0.5, -0.1], False),
        ([0.5, 0.5, 0.1], True),
        ([0.9, 0.9, 0.9, 0.9, -0.1], True),
        ([0.9, 0.9, 0.9, -0.1, -0.1], False),
        ([-0.9, -0.9, -0.9, -0.9, 0.1], True),
        ([0.9, 0.9, 0.9, 0.9, 0.0], True),
        ([0.9, 0.9, 0.9, 0.0, 0.0], False),
    ],
)
def test_a_reason_needs_four_of_five_seeds_to_agree_with_its_sign(shares, steady):
    scorer = Seeded(*[[[share]] for share in shares])

    receipts = explain(scorer, make_catalogue({}))

    assert receipts.steady.tolist() == [[steady]]
    assert len(pick_reasons(receipts)) == steady
    assert receipts.log_odds[0, 0] == pytest.approx(np.mean(shares))


def test_a_signal_of_several_windows_speaks_of_the_one_that_gives_most_to_its_side():
    catalogue = make_catalogue({"windows": ["7d", "30d"]})

    found = pick_reasons(explain(Seeded([[0.1, 0.6], [0.6, 0.1], [0.7, -1.5]]), catalogue))

    assert found["sentence"].tolist() == [f"Label 0: 3 times in the last {days} days" for days in (30, 7, 30)]
    assert found["against"].tolist() == [False, False, True]


def test_what_never_happened_is_said_only_against_a_lead():
    catalogue = make_catalogue({"windows": [], "measure": {"kind": "days_since_last"}, "sentences": {"absent": "Has not looked at prices"}})

    found = pick_reasons(explain(Seeded([[0.5], [-0.5]]), catalogue, np.nan))

    assert found[["lead_id", "sentence"]].to_numpy().tolist() == [["lead-1", "Has not looked at prices"]]


def test_sentences_and_percentiles_come_from_the_peers_of_the_leads_own_segment():
    receipts = explain(Seeded([[0.5], [0.5], [0.5]]), make_catalogue({}))
    tables = {"smb": {"s0_30d": [[0.0, 0.0, 90.0], [3.0, 90.0, 100.0]]}, "enterprise": {"s0_30d": [[3.0, 0.0, 60.0], [9.0, 60.0, 100.0]]}}
    receipts = replace(receipts, peers=Peers(tables, np.array(["smb", "enterprise", "consumer"], dtype=object), "user"))

    found = pick_reasons(receipts)

    plain = "Label 0: 3 times in the last 30 days"
    assert found["sentence"].tolist() == [f"{plain}, more than 90% of small-company users", plain, plain]
    assert found["percentile"].fillna(-1).tolist() == [95.0, 30.0, -1.0]
    assert receipts.to_frame()["percentile"].fillna(-1).tolist() == [95.0, 30.0, -1.0]
    assert [receipts.one(lead).lines[0].percentile for lead in receipts.lead_ids] == [95.0, 30.0, None]
    assert [receipts.one(lead).lines[0].sentence for lead in receipts.lead_ids] == found["sentence"].tolist()


def test_one_lead_alone_is_told_what_the_night_told_it():
    rng = np.random.default_rng(4)
    catalogue = make_catalogue({"windows": ["7d", "30d"]}, {}, {"unit": "share"})
    values = pd.DataFrame(rng.integers(0, 4, (60, 4)).astype(float), columns=[column.name for column in catalogue])
    values = values.mask(rng.random((60, 4)) < 0.2)
    shares, leads = [rng.normal(0, 0.4, (60, 4)) for _ in range(3)], [f"lead-{n:02}" for n in range(60)]

    night = pick_reasons(build_receipts(Seeded(*shares), EVEN, values, leads, catalogue))

    for n, lead in enumerate(leads):
        alone = build_receipts(Seeded(*(one[[n]] for one in shares)), EVEN, values.iloc[[n]], [lead], catalogue)
        expected = night[night["lead_id"] == lead].reset_index(drop=True)
        pd.testing.assert_frame_equal(pick_reasons(alone), expected, check_dtype=False)
