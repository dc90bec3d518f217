"""Nothing that opens a door, and nobody's address, stands in a log."""

import pytest

from app.kernel.redaction import Redactor, redacted
from app.merchants.keys import new_key

KEY, REPORT_KEY = new_key("secret"), new_key("report")


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (f"key {KEY} is odd", "key [secret] is odd"),
        (f"{REPORT_KEY}, twice", "[secret], twice"),
        ("sk_live_51PgafTB8BxAbCdEf", "[secret]"),
        ("Authorization: Bearer abc.def", "Authorization: [secret]"),
        ("authorization: bearer abc.def", "authorization: [secret]"),
        ("'authorization': b'Basic dXNlcjpwYXNz'", "'authorization': b'[secret]'"),
        ("signed with whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw=", "signed with [secret]"),
        ("vt_vis_01k6p0v4c0000000c1h2j3k4m5n6p7.c2lnbmVk came", "[secret] came"),
        ("cookie gv_report=AbC-_123; next", "cookie [secret]; next"),
        ("postgresql://shop:pass@db.internal/x", "postgresql://[secret]@db.internal/x"),
        ("to ana.b+shop@mail.example.com.", "to [mail]."),
        (
            "order ord_01k6p0v4c0000000c1h2j3k4m5n6p7 at 09:30:00",
            "order ord_01k6p0v4c0000000c1h2j3k4m5n6p7 at 09:30:00",
        ),
    ],
    ids=lambda text: text.replace(KEY, "sk").replace(REPORT_KEY, "rk"),
)
def test_secrets_and_mail_are_taken_out_of_what_is_said(said: str, kept: str) -> None:
    assert kept == redacted(said) == Redactor()(said)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("from 203.0.113.7:4711", "from [address]:4711"),
        ("from 203.0.113.7.", "from [address]."),
        ("8.8.8.8, 9.9.9.9", "[address], [address]"),
        ("[2001:db8::7]:443", "[[address]]:443"),
        ("2001:db8:0:1::7 left", "[address] left"),
        ("::ffff:203.0.113.7", "[address]"),
        ("peer=2001:DB8::1", "peer=[address]"),
        ("db at 10.0.0.5 and 127.0.0.1:8000 and ::1", "db at 10.0.0.5 and 127.0.0.1:8000 and ::1"),
        (
            "version 1.2.3.4.5 at 2026-11-22T09:30:00.123Z in app::main",
            "version 1.2.3.4.5 at 2026-11-22T09:30:00.123Z in app::main",
        ),
        ("999.1.1.1", "999.1.1.1"),
    ],
)
def test_strangers_addresses_are_taken_out_and_our_own_machines_stay(said: str, kept: str) -> None:
    assert kept == Redactor()(said)


def test_the_servers_own_secrets_are_known_by_heart() -> None:
    assert "a [secret] b [secret] c short" == Redactor(["hunter22", "hunter22-longer", "short"])(
        "a hunter22-longer b hunter22 c short"
    )


@pytest.mark.parametrize(
    "text", ["a" * 50_000, "1." * 30_000, ":" * 60_000, "a.b" * 20_000 + "@", "sk_" * 20_000], ids=len
)
def test_long_text_is_looked_through_in_no_time(text: str) -> None:
    Redactor(["a secret of this server"])(text)
