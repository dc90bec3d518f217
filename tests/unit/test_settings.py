"""A wrong setting stops the start with one clear line; what is absent is made once."""

import os
import stat
from functools import partial
from pathlib import Path

import pytest

from app.kernel.outgoing import Guard
from app.settings import SIMULATED_KEY, WrongSettings, load
from tests.threads import together


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("GRAPEVINE_")]:
        monkeypatch.delenv(name)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("DATABASE_URL", "mysql://x", "sqlite:/// or postgresql://"),
        ("DATABASE_URL", "grapevine.db", "sqlite:/// or postgresql://"),
        ("PUBLIC_URL", "shop.example", "https://shop.example"),
        ("PUBLIC_URL", "ftp://shop.example", "https://shop.example"),
        ("PUBLIC_URL", "https://shop.example/path", "without a path"),
        ("PUBLIC_URL", "https://shop.example?x", "without a path"),
        ("PUBLIC_URL", "https://ana:pw@shop.example", "without a path"),
        ("STRIPE_API_BASE", "api.stripe.com", "https://"),
        ("SECRET", "short", "at least 16 characters"),
        ("ADMIN_TOKEN", "short", "at least 16 characters"),
        ("JOBS", "perhaps", "boolean"),
        ("OUTGOING_ALLOW", "shop.internal, http://shop.internal", "neither a host"),
        ("OUTGOING_ALLOW", "10.0.0.1/8", "neither a host"),
        ("OUTGOING_ALLOW", "10.0.1", "neither a host"),
        ("OUTGOING_ALLOW", "-shop.internal", "neither a host"),
        ("OUTGOING_ALLOW", "300.0.0.1:8080", "neither a host"),
    ],
)
def test_a_wrong_setting_is_named_in_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, value: str, says: str
) -> None:
    monkeypatch.setenv(f"GRAPEVINE_{name}", value)
    with pytest.raises(WrongSettings) as wrong:
        load(data_dir=tmp_path)
    line = str(wrong.value)
    assert line.startswith(f"GRAPEVINE_{name}: ")
    assert says in line
    assert "\n" not in line
    assert not list(tmp_path.iterdir())


def test_stripe_without_a_webhook_secret_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GRAPEVINE_STRIPE_API_KEY", "sk_test_1")
    with pytest.raises(WrongSettings, match="STRIPE_WEBHOOK_SECRET is needed") as wrong:
        load(data_dir=tmp_path)
    assert "\n" not in str(wrong.value)


def test_secrets_are_made_once_and_only_their_owner_reads_them(tmp_path: Path) -> None:
    folder = tmp_path / "var"
    first, again = load(data_dir=folder), load(data_dir=folder)
    assert (first.secret, first.admin_token) == (again.secret, again.admin_token)
    assert first.secret != first.admin_token
    assert min(len(first.secret), len(first.admin_token)) >= 32
    assert {0o600} == {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert {"secret", "admin-token"} == {path.name for path in folder.iterdir()}


def test_processes_that_start_together_share_one_secret(tmp_path: Path) -> None:
    for round_ in range(20):
        load_here = partial(load, data_dir=tmp_path / str(round_))
        assert 1 == len({settings.secret for settings in together(*[load_here] * 4)})


def test_a_given_secret_is_not_written_anywhere(tmp_path: Path) -> None:
    load(data_dir=tmp_path, secret="x" * 16, admin_token="y" * 16)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("blocked", ["file", "file/below"])
def test_a_data_dir_that_is_no_folder_is_named(tmp_path: Path, blocked: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WrongSettings, match="GRAPEVINE_DATA_DIR: cannot write ") as wrong:
        load(data_dir=tmp_path / blocked)
    assert "\n" not in str(wrong.value)


def test_the_embedded_database_is_the_default(tmp_path: Path) -> None:
    assert load(data_dir=tmp_path).database == f"sqlite:///{tmp_path}/grapevine.db"


def test_addresses_are_kept_as_browsers_send_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GRAPEVINE_PUBLIC_URL", "HTTPS://Shop.Example:443/")
    monkeypatch.setenv("GRAPEVINE_DATABASE_URL", "postgres://db.example/grapevine")
    monkeypatch.setenv("GRAPEVINE_STRIPE_API_KEY", SIMULATED_KEY)
    monkeypatch.setenv("GRAPEVINE_STRIPE_WEBHOOK_SECRET", "whsec_new, whsec_old,")
    settings = load(data_dir=tmp_path)
    assert settings.public_url == "https://shop.example"
    assert settings.database == "postgresql://db.example/grapevine"
    assert settings.stripe_webhook_secret == ("whsec_new", "whsec_old")
    assert settings.test_mode


@pytest.mark.parametrize(
    "entry", ["shop.internal", "shop", "wall.localhost:8001", "10.1.0.0/16", "127.0.0.1:8001", "[::1]:80", "fd00::/8"]
)
def test_what_may_be_fetched_beyond_the_public_internet_is_a_host_or_a_network(tmp_path: Path, entry: str) -> None:
    allowed = load(data_dir=tmp_path, outgoing_allow=f"{entry}, other.internal,").outgoing_allow
    assert (entry, "other.internal") == allowed
    assert Guard(allowed)


@pytest.mark.parametrize(
    "address", ["hub.example", "ftp://hub.example/", "https://", "https://hub example/", 'https://h.example/">']
)
def test_a_hub_is_named_by_its_address(tmp_path: Path, address: str) -> None:
    assert load(data_dir=tmp_path, websub_hub="https://hub.example/?a=1").websub_hub == "https://hub.example/?a=1"
    with pytest.raises(WrongSettings, match="GRAPEVINE_WEBSUB_HUB: must be an address"):
        load(data_dir=tmp_path, websub_hub=address)
