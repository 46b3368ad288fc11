"""Early warning (预警): who may stop paying within half a year, by plain rules and by a model, each in versions of its own."""
