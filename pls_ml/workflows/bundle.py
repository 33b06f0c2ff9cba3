"""What training hands to the night: scorers, calibrators, catalogue and every parameter, as one frozen object."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from pls_ml.calibration import MarginCalibrator, VennAbersBand, calibrator_from_dict
from pls_ml.core.catalogue import Catalogue
from pls_ml.core.errors import BundleError, suggest
from pls_ml.core.files import write_json
from pls_ml.core.protocols import Scorer
from pls_ml.explanations.policy import Policy
from pls_ml.io.bundles import read_bundle, write_bundle
from pls_ml.scores import ScorecardClassifier, scorer_from_dict
from pls_ml.workflows.config import ProjectConfig
from pls_ml.workflows.data import LoadedData
from pls_ml.workflows.project import Project

FROZEN = ("outcome", "horizon", "spine", "population", "signals")
"""Parts of the project file that a night must read from its training."""


@dataclass(frozen=True)
class Bundle:
    """A trained artefact: named scorers with their calibrators and bands, which of them is `used`, the catalogue, the frozen parameters."""

    version: str
    used: str
    scorers: dict[str, Scorer]
    calibrators: dict[str, MarginCalibrator]
    bands: dict[str, VennAbersBand]
    catalogue: Catalogue
    frozen: dict[str, Any]
    facts: dict[str, Any]

    @property
    def card(self) -> ScorecardClassifier | None:
        """The scorecard among the scorers."""
        return next((scorer for scorer in self.scorers.values() if isinstance(scorer, ScorecardClassifier)), None)

    def apply(self, project: Project) -> Project:
        """Takes a project; returns it with the parameters of the training in place of the file's."""
        merged = project.config.model_dump(by_alias=True) | {"unit": self.catalogue.unit} | self.frozen
        return replace(project, config=ProjectConfig.model_validate(merged))

    def under(self, policy: Policy) -> Bundle:
        """Takes the rules for what is said; returns the bundle whose signals are flagged by them: what views read, never what is saved."""
        return replace(self, catalogue=policy.restrict(self.catalogue))


def save_bundle(project: Project, bundle: Bundle) -> str:
    """Takes a bundle without a version; writes it below `models/` as text and JSON; returns its version."""
    scorers = {name: scorer.to_dict() for name, scorer in bundle.scorers.items()}
    texts = {f"trees_{name}_{number}": text for name, data in scorers.items() for number, text in enumerate(data.pop("boosters", []))}
    parts = {
        "scorers": {"used": bundle.used, "scorers": scorers},
        "calibrators": {name: calibrator.to_dict() for name, calibrator in bundle.calibrators.items()},
        "bands": {name: band.to_dict() for name, band in bundle.bands.items()},
        "catalogue": bundle.catalogue.model_dump(mode="json", exclude_none=True),
        "frozen": bundle.frozen,
        "facts": bundle.facts,
    }
    version = write_bundle(project.models, parts, texts)
    write_json(project.models / "newest.json", {"version": version})
    return version


def load_bundle(project: Project, version: str | None = None) -> Bundle:
    """Takes a project and a version (None: the champion, else the newest); returns the bundle; refuses an unknown or changed one."""
    version = version or read_pointer(project, "champion") or read_pointer(project, "newest")
    if version is None:
        raise BundleError(f"no model in {project.models}: train one with `pls-ml train`")
    known = sorted(path.name for path in project.models.glob("m-*"))
    if version not in known:
        raise BundleError(
            f"no model '{version}'{suggest(version, known)}: expected one of {', '.join(known) or 'none yet; run `pls-ml train`'}"
        )
    parts, texts = read_bundle(project.models / version)
    return assemble_bundle(version, parts, texts)


def read_pointer(project: Project, name: str) -> str | None:
    """Takes 'champion' or 'newest'; returns the version it points to, or None."""
    path = project.models / f"{name}.json"
    if not path.is_file():
        return None
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["version"])
    except (ValueError, KeyError, TypeError) as error:
        raise BundleError(f"{path} is damaged ({error}): delete it, then run `pls-ml promote VERSION` or train again") from error


def assemble_bundle(version: str, parts: dict[str, Any], texts: dict[str, str]) -> Bundle:
    """Takes a version, and a bundle's parts and tree texts as read; returns the bundle."""
    scorers = {}
    for name, data in parts["scorers"]["scorers"].items():
        trees = sorted((int(stem.rsplit("_", 1)[1]), text) for stem, text in texts.items() if stem.rpartition("_")[0] == f"trees_{name}")
        scorers[name] = scorer_from_dict(data | ({"boosters": [text for _, text in trees]} if trees else {}))
    calibrators: dict[str, MarginCalibrator] = {name: calibrator_from_dict(data) for name, data in parts["calibrators"].items()}
    bands = {name: VennAbersBand.from_dict(data) for name, data in parts["bands"].items()}
    catalogue = Catalogue.model_validate(parts["catalogue"])
    return Bundle(version, parts["scorers"]["used"], scorers, calibrators, bands, catalogue, parts["frozen"], parts["facts"])


def require_signals(bundle: Bundle, data: LoadedData) -> None:
    """Takes a bundle and loaded data; returns nothing; refuses data that lack what a signal of the model is computed from."""
    absent = [f"'{name}' ({reason})" for name, reason in data.coverage.not_computable.items()]
    if absent:
        listed = ", ".join(absent[:3]) + (f" and {len(absent) - 3} more" if len(absent) > 3 else "")
        raise BundleError(f"these data lack signals of model {bundle.version}: {listed}; restore what is missing, or train again")
