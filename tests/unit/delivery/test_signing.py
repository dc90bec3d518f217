"""What we sign, the library of the standard believes; and nothing else."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from app.delivery import signing

BODY = '{"type":"order.refunded","data":{"net":-1,"note":"é"}}'.encode()


def now() -> datetime:
    """The library asks the machine's clock."""
    return datetime.now(UTC)


def test_the_standards_own_example() -> None:
    """From its specification, "Verifying signatures" of the reference libraries."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    at = datetime.fromtimestamp(1614265330, UTC)
    assert "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" == signing.signature(
        secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, b'{"test": 2432232314}'
    )


def test_the_library_of_the_standard_believes_it() -> None:
    secret = signing.new_secret()
    headers = signing.headers("evt_1", now(), BODY, [secret])
    assert {"type": "order.refunded", "data": {"net": -1, "note": "é"}} == Webhook(secret).verify(BODY, headers)


@pytest.mark.parametrize("changed", ["body", "id", "timestamp", "secret"])
def test_the_library_refuses_what_is_changed(changed: str) -> None:
    secret = signing.new_secret()
    headers = signing.headers("evt_1", now(), BODY, [secret])
    believing = Webhook(signing.new_secret() if changed == "secret" else secret)
    if changed in ("id", "timestamp"):
        headers[f"webhook-{changed}"] += "0" if changed == "id" else ""
        headers["webhook-timestamp"] = str(int(headers["webhook-timestamp"]) + (changed == "timestamp"))
    with pytest.raises(WebhookVerificationError):
        believing.verify(BODY + b" " * (changed == "body"), headers)


def test_what_is_old_is_refused_and_a_retry_is_signed_anew() -> None:
    secret = signing.new_secret()
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(BODY, signing.headers("evt_1", now() - timedelta(hours=1), BODY, [secret]))
    assert Webhook(secret).verify(BODY, signing.headers("evt_1", now(), BODY, [secret]))


def test_while_a_secret_is_exchanged_both_believe() -> None:
    new, former = signing.new_secret(), signing.new_secret()
    headers = signing.headers("evt_1", now(), BODY, [new, former])
    assert Webhook(new).verify(BODY, headers) == Webhook(former).verify(BODY, headers)


def test_secrets_are_as_long_as_the_standard_asks_and_never_the_same() -> None:
    secrets = {signing.new_secret() for _ in range(100)}
    assert 100 == len(secrets)
    assert {32} == {len(base64.b64decode(each.removeprefix("whsec_"))) for each in secrets}
