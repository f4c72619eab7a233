"""一张图: the one map."""
