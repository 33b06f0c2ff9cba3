"""A PostgreSQL server of our own: a temporary folder, a socket and no port; Arrow tables in, query results out."""

from __future__ import annotations

import io
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import csv

_TYPES = {"string": "TEXT", "double": "DOUBLE PRECISION", "bool": "BOOLEAN", "int64": "BIGINT", "timestamp[us]": "TIMESTAMP"}


@dataclass(frozen=True)
class Postgres:
    """A running server: where its programs are, and the folder of its socket."""

    binaries: Path
    socket: Path

    def run(self, script: str) -> str:
        """What psql prints for a script; its complaint where there is one."""
        command = [str(self.binaries / "psql"), "-h", str(self.socket), "-U", "postgres", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", "-"]
        done = subprocess.run(command, input=script, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr)
        return done.stdout

    def load(self, name: str, table: pa.Table) -> None:
        """Makes the table `name`; the columns have the names of the Arrow table's."""
        columns = ", ".join(f'"{field.name}" {_TYPES[str(field.type)]}' for field in table.schema)
        out = io.BytesIO()
        csv.write_csv(table, out, csv.WriteOptions(include_header=False))
        self.run(
            f"DROP TABLE IF EXISTS {name};\nCREATE TABLE {name} ({columns});\nCOPY {name} FROM STDIN CSV;\n{out.getvalue().decode()}\\.\n"
        )

    def query(self, sql: str, types: dict[str, pa.DataType]) -> pa.Table:
        """A query's rows, in types."""
        said = self.run(f"COPY (\n{sql}\n) TO STDOUT (FORMAT csv, HEADER);")
        how = csv.ConvertOptions(column_types=types, strings_can_be_null=True, quoted_strings_can_be_null=False, null_values=[""])
        return csv.read_csv(io.BytesIO(said.encode()), csv.ReadOptions(block_size=1 << 24), convert_options=how)


def find_binaries() -> Path | None:
    """The folder with the server's programs; none where they are not installed."""
    on_path = shutil.which("initdb")
    folders = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True), *([Path(on_path).parent] if on_path else [])]
    return next((folder for folder in folders if all((folder / name).is_file() for name in ("initdb", "postgres", "psql"))), None)


@contextmanager
def start_server(binaries: Path) -> Iterator[Postgres]:
    """Runs a server, which refuses to run as root: there it runs as the user `postgres`."""
    who: dict[str, Any] = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.getuid() == 0 else {}
    with tempfile.TemporaryDirectory(prefix="pg-") as name:
        folder = Path(name)
        if who:
            shutil.chown(folder, "postgres", "postgres")
        data = folder / "data"
        options = {"cwd": "/", "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True, **who}
        make = [str(binaries / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N"]
        subprocess.run(make, check=True, **options)
        serve = [str(binaries / "postgres"), "-D", str(data), "-k", str(folder), "-h", "", "-F", "-c", "timezone=America/New_York"]
        process = subprocess.Popen(serve, **options | {"stderr": subprocess.DEVNULL})
        try:
            yield _wait(Postgres(binaries, folder), process)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=60)


def _wait(server: Postgres, process: subprocess.Popen[str]) -> Postgres:
    for _ in range(300):
        try:
            server.run("SELECT 1;")
        except RuntimeError:
            if process.poll() is not None:
                raise
            time.sleep(0.1)
        else:
            return server
    raise RuntimeError("PostgreSQL did not answer")
