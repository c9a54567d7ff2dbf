"""How logs get from another program to a service: over one kept connection, retried, counted once."""

from log_aggregator.client.delivery import Delivery, DeliveryError, Outcome, Refusal

__all__ = ["Delivery", "DeliveryError", "Outcome", "Refusal"]
