"""`python -m log_aggregator`: the same as `log-aggregator`."""

import sys

from log_aggregator.cli.main import main

sys.exit(main())
