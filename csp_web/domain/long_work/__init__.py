"""Work that no request waits for: jobs with progress, exports, and what comes round (docs/decisions/0012)."""
