"""Decisions on their way into the ledger: written in the transaction that makes them, appended once by a job."""
