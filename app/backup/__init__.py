"""Backups: one file, whichever database it is of, that can be put back into either (docs/decisions/0012-backups.md).

    seal.py     the file: what stands at its end, by which a whole one is known
    tables.py   which tables there are, in both databases
    rows.py     rows on their way from one database to another
    taking.py   the database into a file
    putting.py  a file into the database
    cli.py      `grapevine backup`, `grapevine restore`

Knows no domain: what the tables mean is nothing to it.
"""
