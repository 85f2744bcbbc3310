"""What runs containers at a place. Each engine stands alone and knows only ports, model and errors."""
