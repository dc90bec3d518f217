"""What HTTP endpoints share: problems, unit of work, pages of a list, shapes of JSON. Knows no domain."""
