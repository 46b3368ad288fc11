"""Files on their way into the ledger: upload, preview, confirm, progress, quarantine, history; and the settings of the firm."""
