"""A day of life in a few minutes: deployments, failures and crons under load, then an account of everything."""
