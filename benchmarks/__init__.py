"""What rendering and the processor cost, measured beside what they are compared with."""
