"""Debts that were not paid, as people work them: cases, tasks, promises, plans, and all that happened."""
