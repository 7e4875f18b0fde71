"""Who acts and what they may: people, roles, passwords, sessions, signing in (S-5, D14)."""
