"""The engine of one machine: Docker. Pure builders say what to send, thin edges send it."""
