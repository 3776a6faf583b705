"""Ordre: a self-hosted order-management service that keeps its money rules and proves its history."""

__version__ = "0.1.0"
