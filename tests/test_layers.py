"""The house's one rule: stages meet only in workflows."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_layers_circles_and_owners_of_heavy_libraries_are_kept():
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]

    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert found.returncode == 0, found.stdout + found.stderr


def test_modules_stay_short_enough_to_read():
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in (ROOT / "pls_ml").rglob("*.py")}

    assert {str(path): n for path, n in lengths.items() if n > 300} == {}
