"""Moving in: past facts of another system, as lines of JSON in any order (attribution.md, Wire forms)."""
