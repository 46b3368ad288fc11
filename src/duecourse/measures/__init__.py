"""Exact numbers about the past: a book in, a table out (指标).

Every function takes the book first and gives an Ibis table, computed by `book.run(...)`; nothing here asks for today's date or
knows which engine runs it. Amounts are int64 minor units of the row's currency, rates are fractions, durations days. Amounts of
different currencies never meet in one row: `currency` is part of every grain, or the function says that it converts.
"""
