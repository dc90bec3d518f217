"""A variable with our prefix that is no setting is a slip of the pen, and is told; those of others are let be."""

import os
from pathlib import Path

import pytest

from app.demo.stripe.parameters.document import ENVIRONMENT
from app.settings import WrongSettings, load


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("GRAPEVINE_")]:
        monkeypatch.delenv(name)


@pytest.mark.parametrize(
    ("name", "value", "advice"),
    [
        ("GRAPEVINE_PUBLC_URL", "https://shop.example", "did you mean GRAPEVINE_PUBLIC_URL?"),
        ("GRAPEVINE_STRIPE_KEY", "", "did you mean GRAPEVINE_STRIPE_API_KEY?"),
        ("grapevine_dataurl", "x", "did you mean GRAPEVINE_DATABASE_URL?"),
        ("GRAPEVINE_XYZ", "1", "docs/settings.md lists those there are"),
        ("GRAPEVINE_PORT", "9000", "docs/settings.md lists those there are"),
    ],
)
def test_it_is_named_with_the_nearest_that_exists(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, value: str, advice: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(WrongSettings) as wrong:
        load(data_dir=tmp_path)
    assert f"{name} is not a setting; {advice}" == str(wrong.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("grapevine_public_url", "https://shop.example"),  # as settings always could be written
        (ENVIRONMENT, "/somewhere/spec3.json"),
        ("GRAPEVINE_SERVICE_HOST", "10.0.0.7"),  # Kubernetes, for a service called `grapevine`, and one of its kin
        ("GRAPEVINE_SERVICE_PORT_HTTP", "8000"),
        ("GRAPEVINE_PORT", "tcp://10.0.0.7:8000"),
        ("GRAPEVINE_PORT_8000_TCP_ADDR", "10.0.0.7"),
        ("GRAPEVINE_POSTGRES_PORT_5432_TCP", "tcp://10.0.0.8:5432"),
        ("GRAPEVINE_POSTGRES_SERVICE_HOST", "10.0.0.8"),
        ("GRAPEVINES", "none of ours"),
    ],
)
def test_others_are_let_be(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    load(data_dir=tmp_path)
