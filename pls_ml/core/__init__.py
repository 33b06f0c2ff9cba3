"""What every stage shares, and nothing that belongs to one of them."""
