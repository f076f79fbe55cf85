"""From plain template mappings to ordered text, files and the figures about them."""
