"""Who reads Chinese is refused in Chinese: every check that a question can fail says so in both languages."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

WHAT_IF, SITING, PARTITION = "/api/coverage/what-if", "/api/siting", "/ogc/processes/partition-grids/execution"
COMMUNITY, CARE = "990101001001", "elder_day_care"
CIRCLE = {"area": COMMUNITY, "category": CARE}

ASKED_BY_ADDRESS = [
    # numbers, kinds and times of the life circle
    ("/api/coverage?speed_kmh=0", "速度 0 km/h 不可用：须大于 0 且不超过 200。"),
    ("/api/coverage?minutes=601", "限时 601 分钟不可用：须大于 0 且不超过 600。"),
    ("/api/coverage?open_at=later", "“later”不是一周中的时刻：写星期和时间，例如 周二 09:30。"),
    ("/api/coverage/fountain", "没有设施类别“fountain”，可选："),
    ("/api/coverage/%20", "未选设施类别。"),
    ("/api/coverage?area=990101001999", "图层“areas”中没有“990101001999”。"),
    # isochrones and cameras
    ("/api/isochrones", "等时圈须从一处出发：一个点、一处设施，或一类设施的全部。"),
    ("/api/isochrones?point=here", "位置“here”不对：须为两个数，经度,纬度，单位为度。"),
    ("/api/isochrones?point=31.7,117.3", "31.7,117.3 不是地球上的点：先经度后纬度，单位为度。"),
    ("/api/isochrones?point=117.3,31.7&minutes=soon", "限时“soon”不对：须为逗号分隔的数，例如 5,10,15。"),
    ("/api/isochrones?point=117.3,31.7&minutes=61", "限时 61 分钟不可用：须大于 0 且不超过 60。"),
    ("/api/isochrones?point=117.3,31.7&minutes=1,2,3,4,5,6,7", "7 个分级画不了：须 1 至 6 个。"),
    ("/api/isochrones?point=117.3,31.7&tolerance_m=501", "容差 501 米不可用：须 0 至 500。"),
    ("/api/cameras/seeing?point=nan,1", "nan,1 不是地球上的点"),
    # ground that is marked, and ids
    ("/api/counts?bbox=1,2,3", "范围“1,2,3”不对：须为四个数，西,南,东,北。"),
    ("/api/counts?bbox=118,31,117,32", "范围“118,31,117,32”不对：西须小于东，南须小于北，单位为度。"),
    ("/api/select/buildings?polygon=a", "多边形无法读取：应写为 经度,纬度;经度,纬度;经度,纬度。"),
    ("/api/select/buildings?polygon=31.7,117.3;31.8,117.3;31.7,117.4", "多边形有顶点不在地球上"),
    ("/api/select/buildings?polygon=117,31;118,31;117,31", "多边形至少要有三个不同的顶点。"),
    ("/api/select/buildings?polygon=117,31;118,32;118,31;117,32", "多边形的边不能相交，也不能重叠。"),
    ("/api/select/buildings", "请给出多边形或范围。"),
    ("/api/select/fountains?bbox=117,31,118,32", "没有图层“fountains”。"),
    ("/api/features/buildings/999999", "图层“buildings”中没有“999999”。"),
    # events, indicators, search
    ("/api/events?area=here", "区划代码“here”不对：最多 12 位数字。"),
    ("/api/events?level=5", "级别须为 1 至 4。"),
    ("/api/events?kind=a%20b", "“a b”不是代码：代码只含字母、数字、“_”和“-”。"),
    ("/api/events?since=2026-05-06T14:30:00", "请求无法读取：“since”须带时区。"),
    ("/api/events?since=2026-05-07T00:00:00Z&until=2026-05-06T00:00:00Z", "开始时间须早于结束时间。"),
    ("/api/events?after=x", "after 不是前一页给出的位置。"),
    ("/api/events/histogram", "时间分布须有开始和结束时间。"),
    ("/api/kpis?name=luck", "没有指标“luck”。"),
    ("/api/kpis/luck/series", "没有指标“luck”。"),
    ("/api/search?q=a", "搜索须有 2 至 "),
    # what never gets past the reading of the parameters
    ("/api/kpis/on_time/series?days=0", "请求无法读取：“days”不能小于 1。"),
    ("/api/kpis/on_time/series?days=soon", "请求无法读取：“days”须为整数。"),
    ("/api/coverage?area=here", "请求无法读取：“area”格式不对。"),
    ("/api/counts", "请求无法读取：“bbox”未给出。"),
]
ASKED_BY_BODY = [
    (WHAT_IF, CIRCLE | {"changes": [{"op": "add"}]}, "变动“add”缺少 point。"),
    (WHAT_IF, CIRCLE | {"changes": [{"op": "add", "point": [31.7, 117.3]}]}, "31.7,117.3 不是地球上的点"),
    (WHAT_IF, CIRCLE | {"changes": [{"op": "dig", "point": [117.3, 31.7]}]}, "请求无法读取：“changes.0.op”须为 "),
    (SITING, CIRCLE | {"n": 0}, "请求无法读取：“n”不能小于 1。"),
    (SITING, CIRCLE | {"candidates": [[31.7, 117.3]]}, "31.7,117.3 不是地球上的点"),
    (SITING, CIRCLE | {"category": "fountain"}, "没有设施类别“fountain”，可选："),
    (f"{SITING}/compare", CIRCLE | {"a": [117.3, 31.7], "b": [0, 91]}, "0,91 不是地球上的点"),
    (PARTITION, {"inputs": {"area_code": COMMUNITY, "minimum": 900}}, "下限 900、目标 400、上限 500 不对：须 0 < 下限 ≤ 目标 ≤ 上限。"),
    (PARTITION, {"inputs": {"area_code": "here"}}, "输入项“区划代码”不合要求。"),
    (PARTITION, {"inputs": {}}, "“划分网格”缺少输入项“区划代码”。"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("address", "body", "sentence"), [*((address, None, zh) for address, zh in ASKED_BY_ADDRESS), *ASKED_BY_BODY]
)
def test_a_refusal_is_said_in_chinese_too(
    client: TestClient, address: str, body: dict[str, object] | None, sentence: str
) -> None:
    answer = client.get(address) if body is None else client.post(address, json=body)
    told = answer.json()
    assert 400 <= answer.status_code < 500
    assert told["detail_zh"].startswith(sentence), told
    assert told["detail_zh"].endswith("。")
    assert told["detail"].isascii() or "周二" in told["detail"]
