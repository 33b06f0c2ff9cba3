"""Users → the organisations that buy: points, tiers, dimensions, the fit × usage matrix, segments, buyers, and how sales meets them."""
