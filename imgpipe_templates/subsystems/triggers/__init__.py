"""What starts the processor for an upload: one module per way, the same handler behind all."""
