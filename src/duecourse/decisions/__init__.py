"""What we should do, with reasons: limits, terms, holds. Pure functions from figures to an answer; nothing here reads a ledger or a clock."""
