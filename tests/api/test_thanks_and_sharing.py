"""After a purchase: the page of thanks offers a share whose parent is the referral that brought the buyer, and takes
nobody for the buyer."""

import re

import httpx
import pytest
from sqlalchemy import func, select

from app.kernel.ids import merchant_of
from app.referrals.models import Claim
from tests.shop import JSON, Shopper, TestMerchant, ok
from tests.till import Till

VIA = re.compile(r' via="(clk_[0-9a-z]+)"')


@pytest.fixture
def mug(seller: TestMerchant) -> JSON:
    return seller.product("Mug", 2000)


@pytest.fixture
def anas(seller: TestMerchant, mug: JSON) -> JSON:
    return seller.shopper().share(mug["id"])


def thanks(till: Till, seller: TestMerchant, mug: JSON, buyer: Shopper, click: str | None) -> str:
    """The page that thanks `buyer`, who came by `click`."""
    body = {"items": [{"variant": mug["variants"][0]["id"]}], **({"click": click} if click else {})}
    opened = ok(seller.public.post("/v1/checkouts", json=body, headers=buyer.headers), 201)
    return httpx.get(f"{till.url}/thanks/{opened['id']}").text


def test_a_share_from_the_thanks_passes_on_the_word_that_brought_the_buyer(
    till: Till, seller: TestMerchant, mug: JSON, anas: JSON
) -> None:
    bo = seller.shopper()
    page = thanks(till, seller, mug, bo, bo.follow(anas["code"]))
    (via,) = VIA.findall(page)
    assert f'<grapevine-share merchant="{seller.id}" product="{mug["id"]}"' in page
    # The page is of another origin than the one where Bo was met: the visitor there is somebody new.
    assert anas["id"] == seller.shopper().share(mug["id"], via=via)["parent"]


def test_what_the_server_knows_of_a_sharer_comes_before_the_page_of_thanks(
    till: Till, seller: TestMerchant, mug: JSON, anas: JSON
) -> None:
    bo, cy = seller.shopper(), seller.shopper()
    (via,) = VIA.findall(thanks(till, seller, mug, bo, bo.follow(anas["code"])))
    dees = seller.shopper().share(mug["id"])
    cy.follow(dees["code"])
    assert dees["id"] == cy.share(mug["id"], via=via)["parent"]


def test_the_page_of_thanks_claims_nothing_and_buys_nothing_with_the_click(
    till: Till, seller: TestMerchant, mug: JSON, anas: JSON
) -> None:
    bo = seller.shopper()
    page = thanks(till, seller, mug, bo, bo.follow(anas["code"]))
    merchant_id = merchant_of(seller.id)
    with till.database.reading() as session:
        mine = select(func.count()).select_from(Claim).where(Claim.merchant_id == merchant_id)
        assert 1 == session.scalar(mine)  # Bo's own
    assert ' click="' not in page
    assert "gv_click" not in page
    assert 'name="click"' not in page
    assert str(bo.token) not in page


def test_without_a_click_of_ours_there_is_nobody_to_pass_on(till: Till, seller: TestMerchant, mug: JSON) -> None:
    foreign = "clk_" + "0" * 30
    for click in (None, foreign, 'clk_"><script>'):
        page = thanks(till, seller, mug, seller.shopper(), click)
        assert ([], False) == (VIA.findall(page), "<script>" in page.partition("</head>")[2])
        assert "<grapevine-share" in page
