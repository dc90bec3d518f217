"""What every report is asked by: filters, and a time as of which it is made."""

from datetime import timedelta

import pytest

from tests.shop import JSON, TestMerchant, ok

REPORTS = ("/v1/reports/attribution", "/v1/reports/models", "/v1/reports/spread", "/v1/sharers")


@pytest.mark.parametrize("path", REPORTS)
@pytest.mark.parametrize("name", ["network", "-sharer"])
def test_a_filter_takes_a_hundred_values_however_they_are_said(merchant: TestMerchant, path: str, name: str) -> None:
    def asked(*values: str) -> tuple[int, JSON]:
        answer = merchant.http.get(path, params=[(name, value) for value in values])
        return answer.status_code, answer.json()

    fifty = ",".join(f"v{number}" for number in range(50))
    assert 200 == asked(fifty, fifty)[0]
    status, problem = asked(fifty, fifty, "one-more")
    assert (422, [{"pointer": name, "detail": "must be at most 100 values"}]) == (status, problem["errors"])


@pytest.mark.parametrize("path", REPORTS)
def test_nobody_knows_yet_what_will_be_known(merchant: TestMerchant, path: str) -> None:
    tomorrow = merchant.clock.now() + timedelta(days=1)
    assert ok(merchant.http.get(path))["as_of"] == ok(merchant.http.get(path, params={"as_of": str(tomorrow)}))["as_of"]
