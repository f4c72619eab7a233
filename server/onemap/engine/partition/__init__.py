"""Partition of a community into grids by household count."""
