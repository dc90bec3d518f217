"""Whose turn it is: what orders, claims and changes of many facts hold, so that who comes second sees the first.

Three things are held, always in this order, so that nobody waits in a circle:

1. the merchant's facts: shared by what adds to one journey (an order, a claim, a refund) and by what only computes;
   held alone by what changes the meaning of many orders at once (an identity, a coupon, a policy, brought-in facts);
2. then the click, then the person, alone, so that a purchase and a claim of one person see each other; who is the same
   person cannot change meanwhile;
3. then the rows of orders, in order of their ids.

On SQLite there is one writer, and all this is nothing. Knows no table.
"""

from sqlalchemy.orm import Session

from app.kernel.database import share_turn, take_turn


def share_facts(session: Session, merchant_id: int) -> None:
    """Let nobody change the meaning of the merchant's facts until the transaction ends; others may share them.

    First of all that a transaction holds. Who holds the facts alone already may ask for this too.
    """
    share_turn(session, _facts(merchant_id))


def hold_facts(session: Session, merchant_id: int) -> None:
    """Have the merchant's facts alone until the transaction ends. Never after `share_facts` in one transaction: two
    who both did that would wait for each other."""
    take_turn(session, _facts(merchant_id))


def hold_click(session: Session, merchant_id: int, click_id: str) -> None:
    """Have the click alone: nobody else claims it, nor records a purchase through it."""
    take_turn(session, f"click {merchant_id} {click_id}")


def hold_person(session: Session, merchant_id: int, person: str) -> None:
    """Have the person alone: nobody else claims or buys as them, on whichever device."""
    take_turn(session, f"person {merchant_id} {person}")


def _facts(merchant_id: int) -> str:
    return f"facts {merchant_id}"
