"""Measurements of rendering and of the processor, side by side with other programs."""
