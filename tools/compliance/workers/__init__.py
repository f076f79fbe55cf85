"""Scripts that run inside the scanners' own environments, where nothing of this project can be imported."""
