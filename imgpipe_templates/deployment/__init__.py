"""Puts a rendered pipeline into an account through change sets: the same code for AWS and for the local engine."""
