"""Who gets the last key when everybody wants it: many buyers over HTTP, in several processes, on both databases (B3, R-4)."""
