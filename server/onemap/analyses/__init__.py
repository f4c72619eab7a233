"""What users ask of the map: fetch, compute, explain; API, OGC processes, worker and forms derive from one registry."""
