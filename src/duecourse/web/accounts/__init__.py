"""People: who they are, what they may do, which rows they see, and what they did."""
