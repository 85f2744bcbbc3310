"""From the product's files to resolved `model` objects. Only `workspace` and `git` touch the outside."""
