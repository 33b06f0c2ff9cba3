"""Contributions → receipts that sum to the score shown, in words."""
