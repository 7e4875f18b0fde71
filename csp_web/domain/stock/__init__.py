"""Product keys: imported, handed out exactly once, shown, replaced, quarantined, encrypted anew (B3, D11, D12)."""
