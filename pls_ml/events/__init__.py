"""Raw log → clean events → daily state."""
