"""Were we right, and can we show it (复盘)? What was foretold is held against what came."""
