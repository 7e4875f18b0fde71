"""Customers: companies that buy, their names and countries, and what happened with each."""
