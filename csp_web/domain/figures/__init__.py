"""Numbers for people: dashboards, counters, what is left to do (B5)."""
