"""What lies beside a checkout of the authors and is no part of the project: labelled lines of others, and scorers."""

from __future__ import annotations

from pathlib import Path

import pytest

_BENCHMARKS = Path(__file__).parents[3] / "shared" / "benchmarks"
REAL_LINES = _BENCHMARKS / "patterns" / "data" / "corrected"
GROUPING_SCORER = _BENCHMARKS / "patterns" / "eval_grouping.py"
ANOMALY_SCORER = _BENCHMARKS / "anomalies" / "synth_eval.py"

ABSENT = "needs ../shared/benchmarks: labelled logs and scorers of others, which we may read but not hand on"
"""Why a test is skipped where they are not. Made-up lines test the same code everywhere."""

needs_real_lines = pytest.mark.skipif(not REAL_LINES.is_dir(), reason=ABSENT)
needs_grouping_scorer = pytest.mark.skipif(not GROUPING_SCORER.is_file(), reason=ABSENT)
