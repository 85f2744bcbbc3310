"""The shapes of what users write, as pydantic models. Partial and literal: `model` is complete and resolved."""
