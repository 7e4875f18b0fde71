"""What pages cost: CPU per request against an empty Flask page, and p99 at two sizes. ``make bench`` prints the ratios.

Not a test: machines are noisy, so only ratios of one run mean anything. How many statements a page takes is tested
(``tests/web/test_statements.py``), for that does not depend on the machine.
"""
