"""``echo``: answers what it was asked, after a pause; for trying a client, and for the conformance suites."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from onemap.analyses.registry import Analysis, Context, Input
from onemap.domain.layer import Title

MAX_PAUSE_S = 60.0
_STEP_S = 0.25

# the official suite (processes10) knows a box by allOf, an array by integer items, a format by contentMediaType; the
# standard's first schema of schemas allowed objects only as a default
_BBOX = {
    "allOf": [
        {
            "type": "object",
            "format": "ogc-bbox",
            "required": ["bbox"],
            "properties": {
                "bbox": {
                    "type": "array",
                    "items": {"type": "number"},
                    "oneOf": [{"minItems": 4, "maxItems": 4}, {"minItems": 6, "maxItems": 6}],
                },
                "crs": {"type": "string", "format": "uri"},
            },
        }
    ]
}
_ECHOED = {
    "text": Input(Title("文字", "Text"), {"type": "string", "maxLength": 10_000, "contentMediaType": "text/plain"}),
    "numbers": Input(
        Title("数列", "Numbers"), {"type": "array", "items": {"type": "integer"}, "minItems": 1, "maxItems": 1_000}
    ),
    "box": Input(Title("范围", "Box"), _BBOX),
    "mixed": Input(
        Title("任意值", "Any value"),
        {"oneOf": [{"type": "string"}, {"type": "number"}, {"type": "boolean"}, {"type": "object"}]},
    ),
}


def _run(context: Context, inputs: Mapping[str, Any]) -> dict[str, Any]:
    pause_s = float(inputs.get("pause", 0.0))
    ends = time.monotonic() + pause_s
    while (left_s := ends - time.monotonic()) > 0:
        context.report(round(100 * (1 - left_s / pause_s)), "pausing")
        time.sleep(min(_STEP_S, left_s))
    return {name: inputs[name] for name in _ECHOED if name in inputs}


ECHO = Analysis(
    name="echo",
    version="1.0.0",
    title=Title("回声", "Echo"),
    description=Title("原样返回输入，可先等待若干秒", "Answers its inputs, after a pause if one is asked for"),
    inputs={
        **_ECHOED,
        "pause": Input(Title("等待秒数", "Seconds to wait"), {"type": "number", "minimum": 0, "maximum": MAX_PAUSE_S}),
    },
    outputs={name: echoed.schema for name, echoed in _ECHOED.items()},
    run=_run,
    is_long=lambda inputs: float(inputs.get("pause", 0)) > 1,
)
