"""Where a book's expressions run. Ibis is a compiler only: it writes SQL, the native driver runs it and hands back Arrow."""
