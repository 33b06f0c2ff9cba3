import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from served import serve

from pls_ml.core.records import ServedBundle
from pls_ml.tracking.addresses import resolve_address
from pls_ml.tracking.session import connect


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory) -> Path:
    """An MLflow database without any run, made once: MLflow builds it in a thousand steps."""
    address = resolve_address(None, tmp_path_factory.mktemp("database"))
    with connect(address):
        pass
    return address.database_file


@pytest.fixture
def folder(empty_database: Path, tmp_path: Path) -> Path:
    """An output folder with an empty MLflow database."""
    output = tmp_path / "out"
    output.mkdir()
    shutil.copy(empty_database, output / "mlflow.db")
    return output


@pytest.fixture
def bundle(tmp_path: Path) -> ServedBundle:
    """A bundle with line ends, a nested file and signs that a careless copy would change."""
    path = tmp_path / "bundle"
    (path / "model").mkdir(parents=True)
    (path / "manifest.json").write_bytes('{"name": "Zürich"}\n'.encode())
    (path / "model" / "booster.txt").write_bytes(b"tree\r\nleaf=1\n\n")
    return serve(path)
