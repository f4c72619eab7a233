"""Indicators: each with its formula in words, so that a number on the wall can be argued with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from onemap.domain.layer import Title

type Shape = Literal["count", "rate", "minutes", "score"]


@dataclass(frozen=True, slots=True)
class Kpi:
    """
    One indicator; ``name`` also names its query in ``store/sql/kpis.sql``, or what it takes of ``closed_windows``.

    Attributes
    ----------
    shape
        How it is written: a count, a rate of numerator by denominator, minutes, a score from 1 to 5.
    window
        How far back it looks; None for the state of this moment.
    layer
        The layer whose reader may see it.
    missing
        Why there is no number yet, where the data behind it is not made by this version.
    """

    name: str
    title: Title
    shape: Shape
    formula: Title
    layer: str
    window: timedelta | None = None
    missing: Title | None = None


_MONTH, _WEEK, _DAY = timedelta(days=30), timedelta(days=7), timedelta(days=1)

KPIS: tuple[Kpi, ...] = (
    Kpi(
        "open_events",
        Title("未结事件", "Open events"),
        "count",
        Title("尚未办结的事件数", "Events not closed yet"),
        "events",
    ),
    Kpi(
        "reported_today",
        Title("今日上报", "Reported today"),
        "count",
        Title(
            "今日零时至现在上报的事件数；对比为昨日同一时段",
            "Events reported since midnight; compared with yesterday until the same time",
        ),
        "events",
        _DAY,
    ),
    Kpi(
        "response_median",
        Title("响应中位数", "Median response"),
        "minutes",
        Title(
            "近 30 天办结事件从上报到首次响应的分钟数的中位数",
            "Median minutes from report to first response, of events closed in 30 days",
        ),
        "events",
        _MONTH,
    ),
    Kpi(
        "on_time",
        Title("按时办结率", "Closed on time"),
        "rate",
        Title(
            "近 30 天办结事件中在时限内办结的 ÷ 有时限的办结事件",
            "Of events closed in 30 days that had a deadline, those closed by it",
        ),
        "events",
        _MONTH,
    ),
    Kpi(
        "resolved_in_grid",
        Title("网格内办结率", "Resolved in the grid"),
        "rate",
        Title(
            "近 30 天办结事件中在网格内解决的 ÷ 全部办结事件",
            "Of events closed in 30 days, those resolved in their grid",
        ),
        "events",
        _MONTH,
    ),
    Kpi(
        "on_duty",
        Title("在岗力量", "Staff on duty"),
        "count",
        Title("在岗的岗位数；分母为应到岗位数", "Posts on duty; of all posts"),
        "responders",
    ),
    Kpi(
        "patrol_coverage",
        Title("巡查点覆盖", "QR points visited"),
        "rate",
        Title("近 7 天有到访的二维码点 ÷ 全部二维码点", "QR points visited in 7 days, of all"),
        "patrol_points",
        _WEEK,
    ),
    Kpi(
        "grids_in_band",
        Title("网格规模达标", "Grids in band"),
        "rate",
        Title(
            "规模达标的基础网格 ÷ 全部基础网格（依其方案的规则集）", "Basic grids within their plan's rule set, of all"
        ),
        "grids",
    ),
    Kpi(
        "new_today",
        Title("今日新增未结", "New and open today"),
        "count",
        Title("今日上报且尚未办结的事件数", "Events reported today and still open"),
        "events",
        _DAY,
    ),
    Kpi(
        "waiting",
        Title("待处理", "Waiting"),
        "count",
        Title("待受理、待研判、待派遣的未结事件数", "Open events waiting to be accepted, triaged or dispatched"),
        "events",
    ),
    Kpi(
        "overdue",
        Title("超期未结", "Overdue"),
        "count",
        Title("时限已过而未办结的事件数", "Open events past their deadline"),
        "events",
    ),
    Kpi(
        "satisfaction",
        Title("满意度", "Satisfaction"),
        "score",
        Title("近 30 天办结并已评价事件的平均评分（1–5）", "Mean rating (1-5) of rated events closed in 30 days"),
        "events",
        _MONTH,
    ),
    Kpi(
        "mediation",
        Title("调解成功率", "Mediation success"),
        "rate",
        Title(
            "近 30 天办结的矛盾纠纷中未升级的 ÷ 全部办结的矛盾纠纷",
            "Disputes closed in 30 days without leaving the community, of all",
        ),
        "events",
        _MONTH,
    ),
    Kpi(
        "cameras_online",
        Title("监控在线率", "Cameras online"),
        "rate",
        Title("在线的监控 ÷ 全部监控", "Cameras online, of all"),
        "cameras",
    ),
    Kpi(
        "life_circle",
        Title("15 分钟覆盖", "15-minute coverage"),
        "rate",
        Title(
            "15 分钟内步行可达规则集全部类别设施的住户 ÷ 全部住户",
            "Households that walk to every category of the rule set in 15 minutes, of all",
        ),
        "buildings",
        None,
        Title("正在测算生活圈，稍后显示", "The life circle is being computed; look again in a moment"),
    ),
)
