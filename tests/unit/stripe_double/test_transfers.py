"""Transfers to connected accounts, and what is taken back of them."""

from typing import cast

import pytest
import stripe

from app.demo.stripe.double import StripeDouble
from tests.unit.stripe_double.around import MakeSession, plain


@pytest.fixture
def intent(double: StripeDouble, make_session: MakeSession) -> str:
    """A payment of 19.99 eur."""
    return str(double.pay(make_session().id)["payment_intent"])


@pytest.fixture
def destination(double: StripeDouble) -> str:
    return str(double.account("acct_shop")["id"])


def test_a_transfer_takes_from_the_balance(
    double: StripeDouble, client: stripe.StripeClient, intent: str, destination: str
) -> None:
    made = client.v1.transfers.create(
        {"amount": 1500, "currency": "eur", "destination": destination, "metadata": {"order": "1"}}
    )
    assert (1500, "acct_shop", False, None) == (made.amount, made.destination, made.reversed, made.transfer_group)
    moved = client.v1.balance_transactions.retrieve(str(made.balance_transaction), {"expand": ["source"]})
    assert (-1500, "transfer", made.id) == (moved.amount, moved.type, cast(stripe.Transfer, moved.source).id)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.transfers.create({"amount": 500, "currency": "eur", "destination": destination})
    assert "balance_insufficient" == refused.value.code
    client.v1.transfers.create({"amount": 499, "currency": "eur", "destination": destination})
    assert ["transfer.created"] * 2 == [event["type"] for event in double.events()][-2:]


def test_the_balance_is_what_payments_brought_less_what_was_passed_on(
    client: stripe.StripeClient, intent: str, destination: str
) -> None:
    assert [("eur", 1999)] == [(each.currency, each.amount) for each in client.v1.balance.retrieve().available]
    client.v1.transfers.create({"amount": 1500, "currency": "eur", "destination": destination})
    client.v1.refunds.create({"payment_intent": intent, "amount": 99})
    assert [("eur", 400)] == [(each.currency, each.amount) for each in client.v1.balance.retrieve().available]
    theirs = client.v1.balance.retrieve(options={"stripe_account": "acct_other"})
    assert [("usd", 0)] == [(each.currency, each.amount) for each in theirs.available]


def test_a_transfer_can_be_tied_to_a_payment(
    double: StripeDouble, client: stripe.StripeClient, intent: str, destination: str
) -> None:
    charge = str(double.charge_of(intent)["id"])

    def transfer(amount: int, currency: str = "eur") -> stripe.Transfer:
        return client.v1.transfers.create(
            {"amount": amount, "currency": currency, "destination": destination, "source_transaction": charge}
        )

    made = transfer(1500)
    assert (charge, f"group_{intent}") == (made.source_transaction, made.transfer_group)
    with pytest.raises(stripe.InvalidRequestError, match="greater than"):
        transfer(500)
    with pytest.raises(stripe.InvalidRequestError, match="cannot be transferred"):
        transfer(1, "usd")
    client.v1.transfers.reversals.create(made.id, {"amount": 1})
    assert 500 == transfer(500).amount


def test_a_refund_and_a_dispute_reverse_no_transfer(
    double: StripeDouble, client: stripe.StripeClient, intent: str, destination: str
) -> None:
    made = client.v1.transfers.create({"amount": 1000, "currency": "eur", "destination": destination})
    double.refund(intent, 999)
    double.dispute(intent)
    found = client.v1.transfers.retrieve(made.id)
    assert (0, False) == (found.amount_reversed, found.reversed)
    assert [] == client.v1.transfers.reversals.list(made.id).data


def test_a_transfer_is_taken_back_in_steps(
    double: StripeDouble, client: stripe.StripeClient, intent: str, destination: str
) -> None:
    made = client.v1.transfers.create({"amount": 1000, "currency": "eur", "destination": destination})
    first = client.v1.transfers.reversals.create(made.id, {"amount": 300, "metadata": {"why": "refund"}})
    assert (300, made.id) == (first.amount, first.transfer)
    with pytest.raises(stripe.InvalidRequestError, match="greater than"):
        client.v1.transfers.reversals.create(made.id, {"amount": 701})
    second = client.v1.transfers.reversals.create(made.id, {"expand": ["balance_transaction"]})
    moved = cast(stripe.BalanceTransaction, second.balance_transaction)
    assert (700, "transfer_refund") == (moved.amount, moved.type)
    with pytest.raises(stripe.InvalidRequestError, match="already been fully reversed"):
        client.v1.transfers.reversals.create(made.id, {})
    found = client.v1.transfers.retrieve(made.id)
    assert (1000, True) == (found.amount_reversed, found.reversed)
    assert [second.id, first.id] == [one.id for one in found.reversals.data]
    assert [second.id, first.id] == [one.id for one in client.v1.transfers.reversals.list(made.id)]
    again = client.v1.transfers.reversals.retrieve(made.id, first.id)
    assert {"why": "refund"} == plain(cast(stripe.StripeObject, again.metadata))
    with pytest.raises(stripe.InvalidRequestError, match="No such transfer reversal"):
        client.v1.transfers.reversals.retrieve(made.id, "trr_none")
    told = [event["type"] for event in double.events() if str(event["type"]).startswith("transfer.")]
    assert ["transfer.created", "transfer.reversed", "transfer.reversed"] == told


def test_transfers_are_described_and_listed(
    double: StripeDouble, client: stripe.StripeClient, intent: str, destination: str
) -> None:
    other = str(double.account()["id"])
    assert other == client.v1.accounts.retrieve(other).id
    first, second = (
        client.v1.transfers.create({"amount": 100, "currency": "eur", "destination": each, "transfer_group": each}).id
        for each in (destination, other)
    )
    assert [second, first] == [one.id for one in client.v1.transfers.list()]
    assert [first] == [one.id for one in client.v1.transfers.list({"destination": destination})]
    assert [second] == [one.id for one in client.v1.transfers.list({"transfer_group": other})]
    changed = client.v1.transfers.update(first, {"description": "for Ana", "metadata": {"a": "1"}})
    assert ("for Ana", {"a": "1"}) == (changed.description, plain(cast(stripe.StripeObject, changed.metadata)))
    client.v1.transfers.update(first, {})
    assert 1 == len(double.events("transfer.updated"))


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"destination": "acct_none"}, "destination"),
        ({"amount": 0}, "amount"),
        ({"amount": None}, "amount"),
        ({"currency": "xxx"}, "currency"),
        ({"source_transaction": "ch_none"}, "source_transaction"),
        ({"source_type": "fpx"}, "source_type"),
    ],
)
def test_a_wrong_transfer_is_refused_by_name(
    client: stripe.StripeClient, destination: str, changes: dict[str, object], param: str
) -> None:
    whole = {"amount": 100, "currency": "eur", "destination": destination, **changes}
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.transfers.create({k: v for k, v in whole.items() if v is not None})  # type: ignore[arg-type]
    assert (400, param) == (refused.value.http_status, refused.value.param)


def test_a_connected_account_has_its_own_payments(
    double: StripeDouble, client: stripe.StripeClient, destination: str
) -> None:
    account = client.v1.accounts.create({"metadata": {"shop": "2"}}).id
    theirs: stripe.RequestOptions = {"stripe_account": account}
    made = client.v1.payment_intents.create(
        {"amount": 700, "currency": "eur", "payment_method": "pm_card_createDispute", "confirm": True},
        options=theirs,
    )
    assert [made.id] == [one.payment_intent for one in client.v1.disputes.list(options=theirs)]
    assert [] == client.v1.disputes.list().data
    assert {account} == {event.get("account") for event in double.events("charge.dispute.created")}
    assert 1 == len(client.v1.balance_transactions.list(options=theirs).data)
    with pytest.raises(stripe.InvalidRequestError, match="insufficient"):
        client.v1.transfers.create({"amount": 1, "currency": "eur", "destination": destination})
