"""Templates as ordered text and files, with their sizes and limits."""
