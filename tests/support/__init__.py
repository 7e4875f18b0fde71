"""What tests stand on: a PostgreSQL of their own, databases, the real server, a real browser."""
