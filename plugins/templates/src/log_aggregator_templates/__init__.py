"""Templates learned online: what other packages may import."""

from log_aggregator_templates.miner import OVERFLOW, TemplateMiner
from log_aggregator_templates.plugin import Templates, TemplatesConfig

__all__ = ["OVERFLOW", "TemplateMiner", "Templates", "TemplatesConfig"]
