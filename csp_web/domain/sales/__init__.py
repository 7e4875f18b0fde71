"""What may be sold, at which price, under which policy; carts, orders and their history."""
