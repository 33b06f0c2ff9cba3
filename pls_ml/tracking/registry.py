"""Model versions of a project in MLflow, one per bundle version, and the aliases `champion` and `challenger`."""

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pls_ml.core.errors import BundleError, suggest
from pls_ml.tracking.addresses import Address

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

CHAMPION, CHALLENGER = "champion", "challenger"
VERSION_TAG = "bundle_version"
_PAGE = 1000


def find_or_create_version(client: "MlflowClient", project: str, version: str, run_id: str, source: str) -> str:
    """Takes a bundle's version, and its run and the folder in it; returns the number of its model version, new or old."""
    known = list_versions(client, project)
    for one in known:
        if one.tags[VERSION_TAG] == version:
            return str(one.version)
    if not known:
        with accept_existing():
            client.create_registered_model(project)
    made = client.create_model_version(project, source, run_id, tags={VERSION_TAG: version})
    place_challenger(client, project)
    return str(made.version)


def list_versions(client: "MlflowClient", project: str | None) -> list["ModelVersion"]:
    """Takes a project's name (None: all); returns the model versions logged by this package, oldest first."""
    wanted = f"name = '{project}'" if project else None
    found: list[ModelVersion] = []
    token = None
    while True:
        page = client.search_model_versions(wanted, max_results=_PAGE, page_token=token)
        found += [version for version in page if VERSION_TAG in version.tags]
        token = page.token
        if not token:
            return sorted(found, key=lambda version: (version.name, int(version.version)))


def place_champion(client: "MlflowClient", version: "ModelVersion") -> None:
    """Takes a model version; gives it the alias `champion`, and `challenger` to the newest other one."""
    client.set_registered_model_alias(version.name, CHAMPION, version.version)
    place_challenger(client, version.name)


def place_challenger(client: "MlflowClient", project: str) -> None:
    """Takes a project; gives the alias `challenger` to its newest version that is not the champion, or to none where there is no other."""
    aliases = _read_aliases(client, project)
    others = [str(one.version) for one in list_versions(client, project) if str(one.version) != aliases.get(CHAMPION)]
    if others:
        client.set_registered_model_alias(project, CHALLENGER, others[-1])
    elif CHALLENGER in aliases:
        client.delete_registered_model_alias(project, CHALLENGER)


def read_aliases(client: "MlflowClient", project: str) -> dict[str, list[str]]:
    """Takes a project; returns the aliases of each bundle version that has any."""
    versions = {str(one.version): one.tags[VERSION_TAG] for one in list_versions(client, project)}
    found: dict[str, list[str]] = {}
    for alias, number in sorted(_read_aliases(client, project).items()) if versions else ():
        if number in versions:
            found.setdefault(versions[number], []).append(alias)
    return found


def choose_version(versions: list["ModelVersion"], wanted: str | None, address: Address) -> "ModelVersion":
    """Takes model versions, a bundle version (None: the newest) and where they are; returns that one; refuses an unknown one."""
    matching = [version for version in versions if wanted in (None, version.tags[VERSION_TAG])]
    if not matching:
        known = [str(version.tags[VERSION_TAG]) for version in reversed(versions)]
        exists = f"logged are {', '.join(known[:5])}{', …' if len(known) > 5 else ''}" if known else "none is logged yet"
        advice = "promote one of these" if known else "run `pls-ml train` first"
        asked = f"model version '{wanted}' is unknown{suggest(wanted, known)}" if wanted else "there is no newest model version"
        raise BundleError(f"{asked} in {address}: {exists}; {advice}")
    names = sorted({str(version.name) for version in matching})
    if len(names) > 1:
        raise BundleError(f"{address} holds models of several projects ({', '.join(names)}); name the project")
    return matching[-1]


@contextlib.contextmanager
def accept_existing() -> Iterator[None]:
    """Two runs at once may both find nothing and both create it; the second uses the first one's."""
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def _read_aliases(client: "MlflowClient", project: str) -> dict[str, str]:
    return {str(alias): str(number) for alias, number in client.get_registered_model(project).aliases.items()}
