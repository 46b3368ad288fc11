"""Facts of the world, 参考: countries, currencies and exchange rates, each table with its source and the date it speaks of."""
