"""Shares the clean environment among the tests of packages."""

from tests.flow.packages.clean import clean

__all__ = ["clean"]
