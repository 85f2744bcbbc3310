"""The shapes of what users write, as pydantic models: partial and literal, where `model` is complete."""
