"""The widget's own files: immutable under a hash of their content, and the loaders that name it."""

import hashlib
import re
from pathlib import Path

from app.kernel.errors import NotFound
from app.storefront import headers
from app.storefront.answers import Answer, Ask, Header, Prepared

_FOLDERS = ("elements", "styles")
_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
_HASH = re.compile(r"[0-9a-f]{16}")
_PUBLIC: list[Header] = [headers.ANYWHERE, headers.EMBEDDABLE, headers.NO_SNIFFING, (b"vary", b"Accept-Encoding")]
_LOADER_LIVES: Header = (b"cache-control", b"public, max-age=300")

LOADERS = {"embed.js": "grapevine.js", "shop.js": "shop.js"}
"""What pages name, for ever: `/embed.js` brings the elements, `/shop.js` carries the click id into a shop's cart."""


class Assets:
    """All files, read once. Only what is in the dictionary is ever served, so no path leads anywhere else."""

    def __init__(self, widgets: Path) -> None:
        found = {
            file.relative_to(widgets).as_posix(): file.read_bytes()
            for folder in _FOLDERS
            for file in sorted((widgets / folder).rglob("*"))
            if file.suffix in _TYPES
        }
        self.hash = _hash_of(found)
        self.prefix = f"/assets/{self.hash}"
        self._files = {name: _file(name, body, headers.IMMUTABLE) for name, body in found.items()}
        self._passing = {name: _file(name, body, headers.NO_STORE) for name, body in found.items()}
        self._loaders = {name: _loader(self.prefix, entry) for name, entry in LOADERS.items()}

    def loader(self, ask: Ask, name: str) -> Answer:
        """One of `LOADERS`."""
        return self._loaders[name].answer(ask)

    def file(self, ask: Ask, version: str, name: str) -> Answer:
        """A file of the tree `version`. Raises `NotFound`.

        A page that was loaded before an upgrade asks for the tree it began with; it gets the file as it is now,
        and no cache may keep that under the old name.
        """
        found = (self._files if version == self.hash else self._passing).get(name)
        if found is None or not _HASH.fullmatch(version):
            raise NotFound
        return found.answer(ask)


def _hash_of(files: dict[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name, body in files.items():
        digest.update(f"{name}\0{len(body)}\0".encode())
        digest.update(body)
    return digest.hexdigest()[:16]


def _loader(prefix: str, entry: str) -> Prepared:
    # Relative to the loader's own address, so that it works behind any host.
    body = f'import ".{prefix}/elements/{entry}";\n'.encode()
    return Prepared(body, _TYPES[".js"], [*_PUBLIC, _LOADER_LIVES])


def _file(name: str, body: bytes, lives: Header) -> Prepared:
    return Prepared(body, _TYPES[Path(name).suffix], [*_PUBLIC, lives])
