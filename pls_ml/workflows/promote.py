"""`pls-ml promote`: make one trained model the champion that scores; nothing else ever does."""

from __future__ import annotations

from pls_ml.core.errors import BundleError
from pls_ml.core.files import write_json
from pls_ml.tracking import open_tracker
from pls_ml.workflows.bundle import load_bundle, read_pointer
from pls_ml.workflows.project import Project


def promote(project: Project, version: str | None = None) -> str:
    """Takes a project and a version (None: the newest); makes it the champion here and, where it was tracked, in the tracker."""
    wanted = version or read_pointer(project, "newest")
    if wanted is None:
        raise BundleError(f"no model in {project.models}: train one with `pls-ml train`")
    bundle = load_bundle(project, wanted)
    tracking = project.config.tracking
    tracker = open_tracker(tracking.kind, tracking.uri, project.output, project.config.project)
    try:
        tracker.set_champion(bundle.version)
    except BundleError:
        project.progress.note(f"model {bundle.version} was not tracked, so the tracker has no alias for it: train with `--track`")
    write_json(project.models / "champion.json", {"version": bundle.version})
    return bundle.version
