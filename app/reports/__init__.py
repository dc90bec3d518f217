"""Reports: what was sold, through whom and where. Reads every table, writes none."""
