"""Figures, and how they are written: medians with their spread, ratios, verdicts, tables. Knows nothing of what they
are figures of."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Figure:
    """Something measured several times."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return median(self.values)


def ratios(these: Sequence[float], those: Sequence[float]) -> Figure:
    """Pair by pair; 0 where there was nothing to compare with."""
    return Figure(tuple(this / that if that else 0.0 for this, that in zip(these, those, strict=True)))


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """As Markdown."""
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows))


def spread(figure: Figure, shown: Callable[[float], str]) -> str:
    """The median, and the least and the most where they look different."""
    least, most = shown(min(figure.values)), shown(max(figure.values))
    return shown(figure.median) if least == most else f"{shown(figure.median)} ({least} to {most})"


def ratio(part: float) -> str:
    """Two digits that mean something, however small."""
    return f"{part:.1f}" if part >= 1 else f"{part:.2f}" if part >= 0.1 else f"{part:.3f}"


def three_digits(rate: float) -> str:
    """Three digits: the rest is chance."""
    digits = max(0, len(str(int(rate))) - 3)
    return f"{round(rate / 10**digits) * 10**digits:,}"


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.1f}"


def verdict(holds: bool | None) -> str:
    """Nothing, where nothing was wanted."""
    return "" if holds is None else "holds" if holds else "**does not hold**"
