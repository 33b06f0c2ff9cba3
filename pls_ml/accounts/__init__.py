"""Users → the organisations that buy, their segments and how sales meets them."""
