"""Decodes the body of a request into records."""
