"""What we can explain to the person who asked.

Every error is a sentence: what is wrong and, where it helps, what to do. ``api.problems`` holds the one table from
class to HTTP status; the command line answers any of them with exit code 3.
"""

from __future__ import annotations

from typing import Self


class OneMapError(Exception):
    """Something the asker can understand and act on; ``zh`` is the same sentence in Chinese where a screen shows it."""

    zh: str | None = None

    def in_chinese(self, sentence: str) -> Self:
        """The same error, said in Chinese too."""
        self.zh = sentence
        return self


class UsageError(OneMapError):
    """The question itself is wrong: an argument, a parameter, a combination of them (exit code 2, HTTP 400)."""


class SettingsError(OneMapError):
    """A setting cannot be used as it stands."""


class CatalogError(OneMapError):
    """The layer folders contradict themselves; ``problems`` lists each with its file and key."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("The layer catalogue has problems: " + " ".join(problems))


class LayerNotFound(OneMapError):
    """No layer of this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The catalog holds no layer '{name}'.")
        self.in_chinese(f"没有图层“{name}”。")


class FeatureNotFound(OneMapError):
    """No feature of this id that the reader may see."""

    def __init__(self, layer: str, fid: object) -> None:
        super().__init__(f"Layer '{layer}' holds no feature '{fid}'.")
        self.in_chinese(f"图层“{layer}”中没有“{fid}”。")


class JobNotFound(OneMapError):
    """No job of this number that the reader asked for."""

    def __init__(self, job_id: object) -> None:
        super().__init__(f"There is no job '{job_id}' of yours.")
        self.in_chinese(f"没有作业“{job_id}”。")


class AnalysisNotFound(OneMapError):
    """No analysis of this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no process '{name}'.")
        self.in_chinese(f"没有名为“{name}”的分析。")


class NotAllowed(OneMapError):
    """The reader may not see or do this."""


class SignInNeeded(OneMapError):
    """The reader is not known; a token would help."""


class Conflict(OneMapError):
    """What was asked for does not fit how things stand now."""


class TooBusy(OneMapError):
    """The server has enough to do; the same request may be answered in a moment."""


class BadTile(OneMapError):
    """A tile address that no tile can have."""


class BadQuery(UsageError):
    """A filter, bounding box, time or sort order that cannot be read."""


class ClusterError(OneMapError):
    """The private PostgreSQL cluster cannot start or stop."""


class DatabaseError(OneMapError):
    """The database cannot be used as it stands."""


class Clash(DatabaseError):
    """Others wrote the same at the same moment: trying again helps."""


class InputRefused(OneMapError):
    """Input that cannot be taken; nothing was changed."""


class GeometryRefused(InputRefused):
    """A geometry that cannot be used and could not be repaired within the limits."""


class InvalidValue(OneMapError):
    """A value that may not exist, caught at construction."""
