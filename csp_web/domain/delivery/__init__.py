"""What was bought, opened: the Software page's lines, download links, transfers and installer files (R20-R29, D2)."""
