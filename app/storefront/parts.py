"""What the rooms of the storefront are made of: one of each, put together in front.py."""

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

from app.kernel.runtime import Runtime
from app.storefront.answers import Header
from app.storefront.met import Met
from app.storefront.pages.heads import PictureOf
from app.storefront.pages.templates import Pages
from app.storefront.views import Viewer
from app.storefront.words import Words


@dataclass(frozen=True)
class Parts:
    """What rooms share. `common` are the headers of every page, in `pool` is built what is kept."""

    here: Runtime
    viewer: Viewer
    words: Words
    pages: Pages
    picture: PictureOf
    met: Met
    common: Sequence[Header]
    pool: Executor
