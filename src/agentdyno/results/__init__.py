"""An experiment as it lies on disk, written and read back."""
