"""What a page must fetch before an embed is there, in brotli, and how far that moves it: ours beside those of others.

`python -m tests.bench.sizes_of_embeds` prints the section and puts it into `docs/performance.md`; it ends with 1 when a
limit of ours does not hold. The others' packages are downloaded from their registries when it runs; where one cannot be
had, the table says so. No test downloads them.
"""

import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app.resources import WIDGETS
from app.storefront.answers import Ask
from app.storefront.assets.files import ENTRY, Assets
from app.storefront.encodings import smallest
from tests.bench import page, shifts_of_embeds
from tests.bench.servers import ROOT
from tests.bench.shifts_of_embeds import Measure, NotMeasured, a_services, issos

PAGE = ROOT / "docs" / "performance.md"
TITLE = "What a page must fetch"
EXPLAINED = """Layout shift: what Chromium tells of the page around the embed, summed up, the larger of the
sums on a phone and on a desktop; ours with the line of style that the embed code gives along.
`python -m tests.bench.sizes_of_embeds` writes this section alone, and fails where a limit of ours does not hold."""
FIRST_PAINT = 6 * 1024
_SECONDS = 120


@dataclass(frozen=True)
class Peer:
    """A file of somebody else's package, as their embed code names it."""

    name: str
    package: str
    file: str
    fetch: Callable[[str, Path], Path]
    shift: Measure


@dataclass(frozen=True)
class Size:
    """Bytes in brotli; none where the package could not be had. Ours are held against a limit where there is one, and
    so is what moves: nothing. `shift` is a figure, or why there is none; empty for what is only a part."""

    name: str
    size: int | None
    limit: int | None = None
    shift: float | str = ""

    @property
    def holds(self) -> bool:
        """What has no limit always does."""
        if self.limit is None:
            return True
        return self.size is not None and self.size <= self.limit and self.shift == 0


def ours() -> list[Size]:
    """The files that the server sends, as it sends them."""
    with tempfile.TemporaryDirectory() as folder:
        assets = Assets(WIDGETS, Path(folder))
        ask = Ask("GET", {"accept-encoding": "br"}, b"")
        loader = len(assets.loader(ask, "embed.js").body)
        scripts = [name for name in assets.names if name.endswith(".js")]
        sizes = {Path(name).name: len(assets.file(ask, assets.hash, name).body) for name in scripts}
    at_once = loader + sizes.pop(ENTRY)
    moved = _shift(lambda _: shifts_of_embeds.ours(), "")
    first = Size("**Grapevine: a wall at first paint** (`embed.js` and what it imports)", at_once, FIRST_PAINT, moved)
    return [first, *(Size(f"Grapevine: `{name}`, when it is used", size) for name, size in sorted(sizes.items()))]


def from_npm(package: str, folder: Path) -> Path:
    """The package, unpacked. Raises `OSError`, `subprocess.SubprocessError`, `tarfile.TarError`."""
    npm = shutil.which("npm")
    if npm is None:
        raise FileNotFoundError("npm is not installed")
    _run([npm, "pack", "--silent", package], folder)
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        archive.extractall(folder, filter="data")
    return folder / "package"


def from_pypi(package: str, folder: Path) -> Path:
    """The same for a wheel."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    _run([*pip, "--only-binary=:all:", "-d", str(folder), package], folder)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as archive:
        archive.extractall(folder)
    return folder


PEERS = (
    Peer("Shopify buy-button-js", "@shopify/buy-button-js@3.0.6", "dist/buybutton.min.js", from_npm, a_services),
    Peer("Lyket (a like button)", "@lyket/widget@1.4.8", "dist/lyket.js", from_npm, a_services),
    Peer("Isso (comments)", "isso==0.13.0", "isso/js/embed.min.js", from_pypi, issos),
)


def theirs(peer: Peer) -> Size:
    """What their file weighs, packed as well as ours."""
    name = f"{peer.name}, `{peer.package}`: `{Path(peer.file).name}`"
    with tempfile.TemporaryDirectory() as folder:
        try:
            text = (peer.fetch(peer.package, Path(folder)) / peer.file).read_bytes()
        except (OSError, subprocess.SubprocessError, tarfile.TarError, zipfile.BadZipFile, StopIteration) as error:
            print(f"{peer.package} cannot be had: {error}", file=sys.stderr)
            return Size(name, None)
    return Size(name, len(smallest(text)), shift=_shift(peer.shift, peer.package))


def _shift(measure: Measure, package: str) -> float | str:
    try:
        return measure(package)
    except NotMeasured as why:
        return f"not measured: {why}"


def everything() -> list[Size]:
    """Ours, the first paint first, and theirs."""
    return [*ours(), *map(theirs, PEERS)]


def section(measured: list[Size]) -> str:
    """The table and what it says, as Markdown."""
    first = measured[0].size or 1
    head = "| | bytes in brotli | of ours at first paint | layout shift | |\n| --- | --- | --- | --- | --- |"
    return "\n".join([head, *(_row(size, first) for size in measured), "", EXPLAINED])


def _row(size: Size, first: int) -> str:
    if size.size is None:
        return f"| {size.name} | could not be had in this run | | | |"
    holds = "" if size.limit is None else "holds" if size.holds else "**does not hold**"
    limit = "" if size.limit is None else f" (at most {size.limit:,}, and no shift)"
    shift = size.shift if isinstance(size.shift, str) else f"{size.shift:.3g}"
    return f"| {size.name} | {size.size:,} | {size.size / first:.1f} | {shift} | {holds}{limit} |"


def _run(command: list[str], folder: Path) -> None:
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=_SECONDS)


def main() -> int:
    """Print the section and put it into the page; 1 when a limit of ours does not hold."""
    from tests.bench.parts import TITLES  # which knows this part too

    measured = everything()
    text = section(measured)
    PAGE.write_text(page.into(PAGE.read_text("utf-8"), TITLES, TITLE, text), "utf-8")
    print(text)
    return 0 if all(size.holds for size in measured) else 1


if __name__ == "__main__":
    sys.exit(main())
