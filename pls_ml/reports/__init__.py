"""Results → pages that people read."""
