"""What other tools hold → files of a product. Pure conversion; only `hesperides/client` reaches a network."""
