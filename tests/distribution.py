"""How the tables are laid out over many machines by Citus: which by merchant, which whole on each; docs/scaling.md.

python -m tests.distribution        prints the statements as that page has them
"""

from collections.abc import Sequence

from sqlalchemy import Table

from app.tables import METADATA

KEY = "merchant_id"
TENANTS = METADATA.tables["merchants"]
TABLES: Sequence[Table] = METADATA.sorted_tables  # what is pointed to comes before what points


def is_reference(table: Table) -> bool:
    """Whether it is kept whole on every machine: the merchants, and what is asked for before one is known."""
    return table.name == TENANTS.name or "shared" in table.info


REFERENCE = [table for table in TABLES if is_reference(table)]
DISTRIBUTED = [table for table in TABLES if not is_reference(table)]


def statements() -> list[str]:
    """What an operator runs once, in an empty database that was migrated."""
    first, *others = (table.name for table in DISTRIBUTED)
    return [
        *(f"SELECT create_reference_table('{table.name}');" for table in REFERENCE),
        f"SELECT create_distributed_table('{first}', '{KEY}', shard_count => 256);",
        *(f"SELECT create_distributed_table('{name}', '{KEY}', colocate_with => '{first}');" for name in others),
    ]


if __name__ == "__main__":
    print("\n".join(statements()))
