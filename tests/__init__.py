"""The test suite. How to run it and how to write for it: docs/developers/testing.md."""
