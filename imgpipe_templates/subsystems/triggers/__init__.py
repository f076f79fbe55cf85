"""Triggers of the processor, one module each. All use the same handler."""
