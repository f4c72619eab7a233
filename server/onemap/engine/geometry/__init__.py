"""Geometry on arrays: triangulation and ring tracing on integer coordinates."""
