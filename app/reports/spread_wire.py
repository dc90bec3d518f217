"""What is told of share trees, as JSON: the report on spread and the trees of people say it alike."""

from fractions import Fraction
from typing import Annotated, Any

from pydantic import Field

from app.kernel.http.wire import Wire
from app.reports.trees import Shape

Ratio = Annotated[float | None, Field(description="Rounded to six digits; null where there is nothing to divide by.")]
Net = Annotated[dict[str, int], Field(description="Minor units by currency.", examples=[{"eur": 12000}])]


class ShapeOut(Wire):
    """How trees look."""

    trees: int
    referrals: int
    depth: Annotated[int | None, Field(description="Generations below the roots: 0 where nobody passed on.")]
    breadth: Annotated[list[int], Field(description="Referrals of each generation, the roots first.")]
    branching: Annotated[list[float], Field(description="N(g+1)/N(g) for each generation but the last.")]
    structural_virality: Annotated[Ratio, Field(description="The mean distance over all pairs of one tree.")]
    largest_tree: Annotated[int, Field(description="Referrals of the largest tree.")]
    median_seconds_to_reshare: Annotated[
        float | None, Field(description="From a referral to each one that was made from it.")
    ]

    @staticmethod
    def fields_of(shape: Shape, median_wait: float | None) -> dict[str, Any]:
        """What is told of `shape`, rounded as JSON has it."""
        return {
            "trees": shape.trees,
            "referrals": shape.referrals,
            "depth": shape.depth if shape.trees else None,
            "breadth": shape.breadth,
            "branching": [_rounded(each) for each in shape.branching],
            "structural_virality": ratio(shape.structural_virality),
            "largest_tree": shape.largest,
            "median_seconds_to_reshare": median_wait,
        }


def ratio(exact: Fraction | None) -> float | None:
    """As JSON has it: six digits after the point."""
    return None if exact is None else _rounded(exact)


def _rounded(exact: Fraction) -> float:
    return float(round(exact, 6))
