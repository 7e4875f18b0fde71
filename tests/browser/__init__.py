"""What only a real browser can tell of every page: see tests/support/site.py."""
