"""Support requests and the cancellations that they carry, with refunds (R30-R43)."""
