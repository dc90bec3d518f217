"""The sharer's own page: what their word did, and what they want to be called."""
