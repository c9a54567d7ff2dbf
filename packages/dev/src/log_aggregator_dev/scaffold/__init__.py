"""What `log-aggregator new` writes: which files a package of each kind has, and how names are put into them."""

from log_aggregator_dev.scaffold.package import KINDS, Names, files_of, write_package

__all__ = ["KINDS", "Names", "files_of", "write_package"]
