"""The way in: one HAProxy for each environment, and the machine's edge before them."""
