"""The desk a credit manager works at: pages, API and jobs over the ledger. A view is gate, parse, one call to the desk, render."""
