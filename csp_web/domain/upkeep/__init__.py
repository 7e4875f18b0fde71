"""The installation itself: settings, first setup, backups, and what must always hold (B14)."""
