"""Every operation of the OpenAPI page answers as the page says, whatever it is asked: schemathesis asks, with all its
checks, in the order of the page and in stories of several calls.

In the ordinary run SQLite gets what is at the borders of each field, and PostgreSQL the stories; `make soak` gives both
all of it, and what chance finds.
"""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.conftest import ADMIN_TOKEN, AppServer, NewDatabase, keys_at
from tests.doubts import found, raised
from tests.served import ROOT
from tests.shop import JSON, TestMerchant, ok
from tests.soak import SOAK

NewMerchant = Callable[..., TestMerchant]

SHORT = {
    "sqlite": ("--phases", "examples,coverage", "--max-examples", "5"),
    "postgresql": ("--phases", "examples,stateful", "--max-examples", "40"),
}
LONG = ("--phases", "examples,coverage,fuzzing,stateful", "--max-examples", "200")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.soak,
    pytest.mark.timeout(3600 if SOAK else 300),
]


def test_every_operation_answers_as_the_page_says(
    merchant: TestMerchant, app_server: AppServer, new_database: NewDatabase, tmp_path: Path
) -> None:
    config = tmp_path / "schemathesis.toml"
    config.write_text((ROOT / "tests" / "fuzzing" / "schemathesis.toml").read_text() + with_ids(merchant, app_server))
    # Made when it is first asked for, which takes a while.
    ok(httpx.get(f"{app_server.url}/openapi.json", verify=False, timeout=60))
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(config)]
    command += ["run", f"{app_server.url}/openapi.json", "--header", f"Authorization: Bearer {merchant.secret_key}"]
    command += [
        "--no-color",
        "--continue-on-failure",
        "--workers",
        "2",
        "--request-timeout",
        "60",
        "--output-truncate",
        "true",
    ]
    command += [*LONG] if SOAK else [*SHORT[new_database.backend], "--generation-deterministic", "--no-shrink"]

    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert 0 == ran.returncode, ran.stdout[-30_000:] + ran.stderr[-3000:]
    generated = re.search(r"([0-9]+) generated, ([0-9]+) passed", ran.stdout)
    assert generated is not None, ran.stdout[-3000:]
    assert int(generated[2]) > 100


def with_ids(merchant: TestMerchant, server: AppServer) -> str:
    """What keeps it from deleting the key that it asks with, or its merchant; a doubt, which nobody makes by HTTP; and
    what answers to the operator."""
    key = ok(merchant.http.post("/v1/keys", json={"kind": "report"}), 201)["id"]
    (doubt,) = raised(server, merchant, found("ord_1", alike=1))
    other: JSON = keys_at(server.url)
    return f"""
[parameters]
key_id = "{key}"
doubt_id = "{doubt}"

[[operations]]
include-path = "/v1/merchants"
headers = {{ Authorization = "Bearer {ADMIN_TOKEN}" }}

[[operations]]
include-path = "/v1/merchants/{{merchant_id}}"
headers = {{ Authorization = "Bearer {ADMIN_TOKEN}" }}
parameters = {{ merchant_id = "{other["id"]}" }}
"""
