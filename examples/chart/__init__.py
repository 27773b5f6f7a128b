"""A test scene of our own, drawn in linear light by formulas alone."""
