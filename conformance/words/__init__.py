"""Numbers, arrays and texts from elsewhere, as people may read them. Imports the ground and truth."""
