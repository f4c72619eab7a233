"""A private PostgreSQL cluster with PostGIS, so that a bare machine needs no database administrator.

``Cluster(folder)`` makes, starts, finds again and stops it; ``throwaway()`` is one for tests. It listens on a Unix
socket in a folder of its own and nowhere else, so it needs no password and takes no port.
"""

from onemap.store.cluster.server import Cluster, throwaway

__all__ = ["Cluster", "throwaway"]
