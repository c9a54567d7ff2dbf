"""Plugins: found, checked, called and contained."""
