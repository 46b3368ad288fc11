"""Generated economies with known truth, and small ledgers to try a question on."""

from duecourse.samples.book import book, memory_ledger

__all__ = ["book", "memory_ledger"]
