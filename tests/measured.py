"""Which tests are measured for coverage. On Python 3.11 measuring nearly triples the processor's time of a test, so
what only goes again over lines that others reach is left out: `make tested` runs all of them, in two halves.

`make coverage` says when something is missed: then take the file that reaches it off this list.
"""

from pathlib import Path

import pytest

_FOLDERS = frozenset({"browser", "bench"})
"""What happens there happens in processes of its own, or was tested closer by."""

_AGAIN = frozenset(
    {
        *("test_reference_over_http", "test_sharers_reference", "test_small_examples", "test_what_was_known"),
        *("test_shops_in_any_order", "test_shop_buyers", "test_order_life", "test_stripe_ledger"),
        *("test_stripe_webhook", "test_checkouts_through_friends"),
        *("test_reconciliation", "test_reconciliation_in_trouble", "test_sessions_looked_for", "test_left_accounts"),
        *("test_promotion_codes", "test_stock", "test_links", "test_made_up_queries", "test_tenant_matrix"),
        *("test_demo", "test_backup", "test_disk_full", "test_migrations", "test_clock_wrong", "test_stripe_down"),
        *("test_kill", "test_purchases_killed", "test_postgres_killed", "test_database_in_trouble", "test_storm"),
        *("test_two_versions", "test_fleet_killed", "test_database_stalled", "test_reports_replica"),
        *("test_simulated_world", "test_simulated_rows"),
        *("test_reference", "test_properties", "test_aggregate_properties", "test_published_paths"),
        *("test_architecture", "test_turns", "test_journal_crowded"),
        *("test_hostile_input", "test_schemathesis", "test_forged_webhooks"),
    }
)
"""Files of storms, kills, and long stories told both ways; of computations done anew in another way; of the code."""

_ONLY_THERE = frozenset({"test_recomputation_in_trouble", "test_stale"})
"""Only PostgreSQL reaches lines of these that must be reached."""


def is_measured(test: pytest.Item) -> bool:
    """Whether this test is of the half that is measured."""
    file = test.path
    on_postgresql = "postgresql" in test.name and file.stem not in _ONLY_THERE
    return not (on_postgresql or file.stem in _AGAIN or _FOLDERS & set(_beneath(file)))


def _beneath(file: Path) -> tuple[str, ...]:
    return file.relative_to(Path(__file__).parent).parts
