"""Generated economies with known truth, and small ledgers to try a question on."""

from duecourse.samples.book import MemoryLedger, book, memory_ledger

__all__ = ["MemoryLedger", "book", "memory_ledger"]
