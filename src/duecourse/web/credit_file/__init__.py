"""The credit file of a buyer: one page a committee can decide on, and the same as PDF, from the same pieces."""
