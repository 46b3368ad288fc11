"""What we write to others: letters and files, with their words in both languages. Sending is done elsewhere."""
