"""The record of a product: deployments, events, what is known good; and durable execution."""
