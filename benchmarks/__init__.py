"""What rendering costs, measured beside what it is compared with."""
