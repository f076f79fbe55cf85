"""What the project is kept with, and no part of what is installed."""
