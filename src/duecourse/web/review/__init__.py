"""Were we right (复盘)? Backtests of the warnings, kept and compared; and a page a month end on what has drifted."""
