"""People by what their word brought, by HTTP."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field
from sqlalchemy.orm import Session

from app.kernel.clock import from_micros
from app.kernel.errors import NotFound
from app.kernel.http.wire import Timestamp, Wire
from app.kernel.http.work import UnitOfWork, Work
from app.merchants.access import Caller, ExactReportKey
from app.reports import share_tree, sharers
from app.reports.cursor import Cursor, Paging
from app.reports.ledger import Question
from app.reports.query import CreditByAllQuery, CreditQuery, CreditReport, by_policy, rows_only
from app.reports.share_tree import Branch, ShareTree
from app.reports.sharers import Row
from app.reports.spread_wire import Net, ShapeOut
from app.reports.wire import TotalOut

router = APIRouter(prefix="/v1/sharers", tags=["reports"])

_LONGEST_ID = 200
_EVER = datetime(1970, 1, 1, tzinfo=UTC), datetime(9998, 1, 1, tzinfo=UTC)
Id = Annotated[str, Path(description="The person where visitors are joined, else the visitor. May contain slashes.")]


class SharersQuery(CreditByAllQuery):
    """What is asked of the list. Filters choose credit, and referrals by where they were made; `depth` and `seen_from`,
    which referrals have not, choose credit alone."""

    limit: Annotated[int, Field(ge=1, le=100, description="How many rows at most.")] = 20
    cursor: Cursor = None


class EverQuery(CreditQuery):
    """What is asked where a period has no end that was not asked for."""

    begin: Annotated[str | None, Field(alias="from", description="A date or time; default: the beginning.")] = None
    end: Annotated[str | None, Field(alias="to", description="A date or time, not included; default: no end.")] = None


class SharerQuery(EverQuery):
    """What is asked of one person: by default all they ever did. `from` and `to` choose orders, referrals and visits
    by when they were made."""

    format: Literal["json"] = "json"


class TreeQuery(EverQuery):
    """What is asked of a tree, which is shown whole: `from` and `to` (default: ever) and the filters choose the sales
    and visits that are counted in it."""

    referral: Annotated[str | None, Field(max_length=200, description="Only what became of this one of theirs.")] = None
    depth: Annotated[int, Field(ge=0, le=1_000_000, description="Generations below the person's own to list.")] = 5
    limit: Annotated[int, Field(ge=1, le=1000, description="How many nodes at most.")] = 100
    cursor: Cursor = None


class SharerRow(Wire):
    """What one person brought in one currency, in minor units. `name`: only where they gave one with a share that they
    have not taken back."""

    sharer: str
    name: str | None
    currency: str
    orders: int
    gross: int
    refunded: int
    net: int
    referrals: Annotated[int, Field(description="Likes and shares that they made in the period.")]
    visits: Annotated[int, Field(description="Visits in the period through links of theirs.")]

    @classmethod
    def of(cls, row: Row) -> Self:
        sums, activity = TotalOut.of(row.currency, row.sums), row.activity
        return cls(sharer=row.sharer, name=row.name, **sums.model_dump(), **activity._asdict())


class SharersPage(CreditReport):
    """A row for each person and currency, largest net first in each."""

    data: Annotated[
        list[SharerRow],
        Field(
            examples=[
                [
                    {
                        "sharer": "vis_...",
                        "name": "Ana",
                        "currency": "eur",
                        "orders": 3,
                        "gross": 12000,
                        "refunded": 1000,
                        "net": 11000,
                        "referrals": 2,
                        "visits": 41,
                    }
                ]
            ]
        ),
    ]
    next_cursor: str | None


class SharerOut(CreditReport):
    """One person. `totals` is their credit under the policy, as in the reports. `own_net` came directly through their
    links, whoever was credited; `subtree_net` also through all that was shared on from there."""

    sharer: str
    name: str | None
    totals: list[TotalOut]
    own_net: Net
    subtree_net: Net
    referrals: Annotated[int, Field(description="Likes and shares that they made in the period.")]
    visits: Annotated[int, Field(description="Visits in the period through links of theirs.")]
    by_network: Annotated[
        list[dict[str, str | int]], Field(examples=[[{"network": "whatsapp", "referrals": 3, "visits": 41}]])
    ]
    by_product: Annotated[
        list[dict[str, str | int]], Field(examples=[[{"product": "prod_...", "referrals": 2, "visits": 30}]])
    ]
    first_at: Annotated[Timestamp, Field(description="Their first like or share.")]
    last_at: Annotated[Timestamp, Field(description="Their last like or share.")]


class NodeOut(Wire):
    """A referral in a tree. `net` came directly through its link, `subtree_net` through all below it too: subtrees
    overlap, and are not to be added up."""

    referral: str
    parent: Annotated[str | None, Field(description="The referral from which it was passed on, known or not.")]
    level: Annotated[int, Field(description="Generations below the person's own topmost referrals, which are 0.")]
    sharer: str
    name: str | None
    kind: Annotated[str, Field(examples=["share", "like"])]
    network: Annotated[str | None, Field(examples=["whatsapp"])]
    product: str | None
    wall: str | None
    at: Timestamp
    visits: Annotated[int, Field(description="Visits in the period through its link.")]
    referrals_below: int
    net: Net
    subtree_net: Net

    @classmethod
    def of(cls, branch: Branch) -> Self:
        node, about = branch.node, branch.about
        return cls(
            referral=node.referral,
            parent=node.parent,
            level=branch.level,
            sharer=node.sharer,
            **about._asdict(),
            at=from_micros(node.at),
            visits=branch.visits,
            referrals_below=branch.below,
            net=dict(branch.net),
            subtree_net=dict(branch.subtree),
        )


class TreeTotals(ShapeOut):
    """The whole tree, whichever nodes are listed."""

    descendants: Annotated[int, Field(description="Referrals below the person's own topmost ones.")]
    sharers: Annotated[int, Field(description="People who made the referrals, the person included.")]
    own_net: Annotated[Net, Field(description="Came directly through the person's own links.")]
    subtree_net: Annotated[Net, Field(description="Came through all of the tree, each sale once.")]

    @classmethod
    def of(cls, tree: ShareTree) -> Self:
        return cls(
            **ShapeOut.fields_of(tree.shape, tree.median_wait),
            descendants=tree.shape.referrals - tree.shape.trees,
            sharers=tree.sharers,
            own_net=dict(tree.own),
            subtree_net=dict(tree.subtree),
        )


class TreeOut(CreditReport):
    """A person's share tree: the whole in numbers, and its nodes by level, then by time: parents before children."""

    sharer: str
    name: str | None
    totals: TreeTotals
    data: list[NodeOut]
    next_cursor: str | None


@router.get("", response_model=SharersPage)
def list_sharers(
    query: Annotated[SharersQuery, Query()], caller: ExactReportKey, work: UnitOfWork, request: Request
) -> Response:
    """People by net credit under the policy, a row for each currency. All pages show the list as it was known when the
    first was asked for; credit as of then stands, counts of shares and visits may still rise by a batch. As CSV
    or NDJSON the next page stands in the header `Link`."""
    paging = Paging.of(request, query, query.cursor, sharers.Place, work.here.clock.now())
    with work.here.reports.view(paging.now, caller.merchant_id, exactly=paging.after is not None) as (session, now):
        paging = replace(paging, now=now)
        question, told = _question(session, query, caller, work, now)
        rows = sharers.page(session, question, paging.after, query.limit + 1)
    data = [SharerRow.of(row) for row in rows[: query.limit]]
    next_cursor = paging.next_cursor([row.place for row in rows], query.limit)
    if answer := rows_only(query, list(SharerRow.model_fields), [row.model_dump() for row in data]):
        return paging.linked(answer, next_cursor)
    return _json(SharersPage(data=data, next_cursor=next_cursor, **told))


@router.get("/{sharer:path}/tree", response_model=TreeOut)
def get_sharer_tree(
    sharer: Id, query: Annotated[TreeQuery, Query()], caller: ExactReportKey, work: UnitOfWork, request: Request
) -> Response:
    """A person's likes and shares, and all that was shared on from them, with the sales of each subtree. The totals
    are about the whole tree, however deep; the nodes come in pages. As CSV or NDJSON the next page stands in the header
    `Link`."""
    paging = Paging.of(request, query, query.cursor, share_tree.Place, work.here.clock.now())
    with work.here.reports.view(paging.now, caller.merchant_id, exactly=paging.after is not None) as (session, now):
        paging = replace(paging, now=now)
        question, told = _question(session, query, caller, work, now)
        tree = share_tree.share_tree(
            session,
            question,
            _known(sharer),
            of=query.referral,
            depth=query.depth,
            after=paging.after,
            limit=query.limit + 1,
        )
    data = [NodeOut.of(branch) for branch in tree.branches[: query.limit]]
    next_cursor = paging.next_cursor([branch.place for branch in tree.branches], query.limit)
    rows = [row.model_dump(mode="json") for row in data]
    if answer := rows_only(query, list(NodeOut.model_fields), rows):
        return paging.linked(answer, next_cursor)
    totals = TreeTotals.of(tree)
    return _json(TreeOut(sharer=tree.sharer, name=tree.name, totals=totals, data=data, next_cursor=next_cursor, **told))


@router.get("/{sharer:path}", response_model=SharerOut)
def get_sharer(
    sharer: Id, query: Annotated[SharerQuery, Query()], caller: ExactReportKey, work: UnitOfWork
) -> Response:
    """One person: what their word brought, where they passed it on, and since when."""
    with work.here.reports.view(work.here.clock.now(), caller.merchant_id) as (session, now):
        question, told = _question(session, query, caller, work, now)
        found = sharers.one(session, question, _known(sharer))
    return _json(
        SharerOut(
            sharer=found.sharer,
            name=found.name,
            totals=[TotalOut.of(currency, sums) for currency, sums in found.sums.items()],
            own_net=dict(found.own),
            subtree_net=dict(found.subtree),
            **found.activity._asdict(),
            by_network=[{"network": name, **each._asdict()} for name, each in found.by_network.items()],
            by_product=[{"product": name, **each._asdict()} for name, each in found.by_product.items()],
            first_at=found.first_at,
            last_at=found.last_at,
            **told,
        )
    )


def _question(
    session: Session, query: CreditQuery, caller: Caller, work: Work, now: datetime
) -> tuple[Question, dict[str, Any]]:
    """What is asked, and what is told with the answer."""
    asked, told = by_policy(session, query, caller.merchant_id, now, work.here.settings.test_mode)
    if isinstance(query, EverQuery):
        since = _EVER[0] if query.begin is None else asked.since
        until = _EVER[1] if query.end is None else asked.until
        asked = replace(asked, since=since, until=until)
    return Question(**vars(asked), group_by=("sharer",), policy=query.policy), told


def _known(sharer: str) -> str:
    """Raises `NotFound` for what nobody can be called."""
    if "\0" in sharer or len(sharer) > _LONGEST_ID:
        raise NotFound
    return sharer


def _json(answer: Wire) -> Response:
    return Response(answer.model_dump_json(), media_type="application/json")
