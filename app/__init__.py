"""Everything Python in this product: the library, the demo page and the demo server."""
