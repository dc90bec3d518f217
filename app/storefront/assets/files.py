"""The widget's own files, packed: immutable under a hash of what they are made of, and the loaders that name it."""

import hashlib
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path, PurePosixPath

from app.kernel.errors import NotFound
from app.storefront import headers
from app.storefront.answers import Answer, Ask, Header, Prepared
from app.storefront.assets import minified, packing
from app.storefront.assets.versions import PackedFile, Versions, archive_of
from app.storefront.encodings import smallest

ENTRY = "grapevine.js"
"""The module from which all that the elements need is found."""
LOADERS = {"embed.js": ENTRY, "shop.js": "shop.js"}
"""What pages name, for ever: `/embed.js` brings the elements, `/shop.js` carries the click id into a shop's cart."""

_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
_HASH = re.compile(r"[0-9a-f]{16}")
_PUBLIC: list[Header] = [headers.ANYWHERE, headers.EMBEDDABLE, headers.NO_SNIFFING, (b"vary", b"Accept-Encoding")]
_LOADER_LIVES: Header = (b"cache-control", b"public, max-age=300")

Files = Mapping[str, Prepared]


class Assets:
    """All files, ready. Only what is in the dictionaries is ever served, so no path leads anywhere else.

    Packed once for each version of the sources, and kept in `kept`. Raises `CannotPack` where that cannot be done.
    """

    def __init__(self, widgets: Path, kept: Path) -> None:
        sources = _sources(widgets)
        self.hash = _hash_of(sources)
        self.prefix = f"/assets/{self.hash}"
        self._versions = Versions(kept)
        known = self._versions.load(self.hash)
        files = known or _packed(sources)
        self._versions.keep(self.hash, None if known else archive_of(files))
        self.integrity = _integrity(files[f"elements/{ENTRY}"].body)
        self._files = _prepared(files, headers.IMMUTABLE)
        self._passing = _prepared(files, headers.NO_STORE, self._files)
        self._older: dict[str, Files] = {}
        self._loaders = {name: _loader(self.prefix, entry) for name, entry in LOADERS.items()}

    @property
    def entry(self) -> str:
        """Where the packed entry stands, to be pinned with `integrity`."""
        return f"{self.prefix}/elements/{ENTRY}"

    @property
    def names(self) -> Iterable[str]:
        """Everything that is served of this version."""
        return self._files.keys()

    def loader(self, ask: Ask, name: str) -> Answer:
        """One of `LOADERS`."""
        return self._loaders[name].answer(ask)

    def file(self, ask: Ask, version: str, name: str) -> Answer:
        """A file of the tree `version`. Raises `NotFound`.

        A page that was loaded before an upgrade, or that pins a version, gets the bytes it began with while they
        are kept. Where they are not, it gets the file as it is now, and no cache may keep that under the old name.
        """
        if not _HASH.fullmatch(version):
            raise NotFound
        found = (self._files if version == self.hash else self._of(version)).get(name)
        if found is None:
            raise NotFound
        return found.answer(ask)

    def _of(self, version: str) -> Files:
        if version in self._older:
            return self._older[version]
        files = self._versions.load(version)
        if files is None:  # another process may bring it at any moment
            return self._passing
        self._older[version] = _prepared(files, headers.IMMUTABLE)
        return self._older[version]


def are_kept(widgets: Path, kept: Path) -> bool:
    """Whether `kept` has the packed files of these sources, so that `Assets` need not make them."""
    return _hash_of(_sources(widgets)) in Versions(kept)


def _sources(widgets: Path) -> tuple[tuple[str, bytes], ...]:
    files = sorted(file for folder in ("elements", "styles") for file in (widgets / folder).glob("*"))
    return tuple((file.relative_to(widgets).as_posix(), file.read_bytes()) for file in files if file.suffix in _TYPES)


@lru_cache(maxsize=2)
def _packed(sources: tuple[tuple[str, bytes], ...]) -> dict[str, PackedFile]:
    """What is served of the sources: scripts packed, style sheets minified."""
    scripts = {PurePosixPath(name).name: body.decode() for name, body in sources if name.endswith(".js")}
    files = {f"elements/{name}": text.encode() for name, text in packing.packed(scripts, ENTRY).items()}
    for name, body in sources:
        if name.endswith(".css"):
            files[name] = minified.style(body.decode()).encode()
        elif not name.endswith(".js"):
            files[name] = body
    return {name: PackedFile(body, smallest(body)) for name, body in files.items()}


def _hash_of(sources: Iterable[tuple[str, bytes]]) -> str:
    digest = hashlib.sha256()
    for name, body in (*sources, ("recipe", packing.recipe())):
        digest.update(f"{name}\0{len(body)}\0".encode())
        digest.update(body)
    return digest.hexdigest()[:16]


def _integrity(body: bytes) -> str:
    return f"sha384-{b64encode(hashlib.sha384(body).digest()).decode()}"


def _loader(prefix: str, entry: str) -> Prepared:
    # Relative to the loader's own address, so that it works behind any host.
    body = f'import ".{prefix}/elements/{entry}";\n'.encode()
    return Prepared(body, _TYPES[".js"], [*_PUBLIC, _LOADER_LIVES])


def _prepared(files: Mapping[str, PackedFile], lives: Header, like: Files | None = None) -> Files:
    return {
        name: Prepared(
            file.body,
            _TYPES[PurePosixPath(name).suffix],
            [*_PUBLIC, lives],
            (like or {}).get(name),
            {"br": file.brotli},
        )
        for name, file in files.items()
    }
