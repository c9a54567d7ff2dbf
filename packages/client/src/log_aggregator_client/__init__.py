"""How a program's logs get to a service: a logging handler, and the delivery of batches. Standard library only."""

from log_aggregator_client.delivery import Delivery, DeliveryError, Outcome, Refusal
from log_aggregator_client.handler import LogAggregatorHandler

__all__ = ["Delivery", "DeliveryError", "LogAggregatorHandler", "Outcome", "Refusal"]
