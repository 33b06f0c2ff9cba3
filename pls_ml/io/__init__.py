"""Sources, sinks and files: everything that touches the disk."""
