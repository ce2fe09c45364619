"""Numbers, arrays and texts from elsewhere, as people may read them. Imports truth."""
