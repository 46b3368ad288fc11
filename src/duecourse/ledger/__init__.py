"""台账: what happened, append-only, with two dates on every row. `Ledger.as_of(on, known_at)` is the only way in."""
