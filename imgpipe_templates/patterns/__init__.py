"""House patterns that several subsystems use."""
