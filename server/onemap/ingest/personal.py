"""Finds personal data in foreign tables: by what a column is called and by what its values look like.

Households and persons are numbers here, never people. An import that carries people is refused with the columns named.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from onemap.errors import InputRefused
from onemap.ingest.names import plain_name

_NAMED_CHINESE = re.compile(
    "身份证|证件号|公民身份|姓名|户主|房主|业主姓名|业主名|居民名|住户姓名|租客|租户姓名|承租人|联系人|负责人|法人代表|法定代表|监护人|车牌|号牌|"
    "手机|移动电话|人脸|指纹|虹膜|民族|宗教|信仰|疾病|病史|病情|病种|病人|患者|患病|慢病|残疾|孕妇|艾滋|精神障碍|前科|犯罪|违法记录|吸毒|涉毒|"
    "刑满|社区矫正|矫正对象|信访人|上访|重点人员|性别|出生日期|出生年月|生日|年龄|婚姻|学历|政治面貌|籍贯|护照|银行卡|微信号|配偶|家庭成员|"
    "姓氏|曾用名|低保户"
)
_NOT_PEOPLE = re.compile("床|名称|数量|人数|户数|总数|院|中心|站名|统计|合计")
_NAMED_LATIN = frozenset({
    "idcard", "idcardno", "idcardnumber", "idno", "idnumber", "identitycard", "identitycardno", "identityno", "nationalid",
    "citizenid", "ssn", "passport", "passportno", "sfz", "sfzh", "sfzhm", "shenfenzheng", "shenfenzhenghao", "gmsfhm", "zjhm",
    "xingming", "xm", "xming", "hzxm", "hz", "huzhu", "huzhuxingming", "yezhu", "lxr", "lianxiren", "fzr", "fuzeren",
    "personname", "fullname", "firstname", "lastname", "surname", "givenname", "realname", "residentname", "ownername",
    "owner", "householder", "householdhead", "headofhousehold", "contactperson", "contactname", "tenant", "tenantname",
    "chepai", "chepaihao", "cph", "cphm", "plate", "plateno", "platenumber", "licenseplate", "licenceplate", "carplate",
    "shouji", "shoujihao", "sjh", "sjhm", "mobile", "mobileno", "mobilephone", "mobilenumber", "cellphone", "cell",
    "face", "faceid", "facefeature", "renlian", "fingerprint", "minzu", "mz", "ethnic", "ethnicity", "ethnicgroup", "race",
    "nationality", "religion", "zongjiao", "faith", "disease", "diseases", "illness", "medicalhistory", "jibing",
    "disability", "hiv", "criminal", "criminalrecord", "crime", "qianke", "drugs", "parole", "petitioner", "gender", "sex",
    "xingbie", "birthday", "birthdate", "dateofbirth", "dob", "csrq", "age", "nianling", "maritalstatus", "wechat", "bankcard",
})  # fmt: skip
#: Tags of OpenStreetMap that describe places, though the same word can describe people.
_OSM_WORDS = frozenset({"religion", "nationality", "owner", "cell", "face", "race", "xm", "mobile"})
_OSM_MARKS = frozenset({"osmid", "@id", "fullid", "osmtype", "osmwayid"})
#: Columns that name a post or, in careless tables, the person who fills it: their values decide.
_POSTS = re.compile(
    "网格员|网格长|楼长|楼栋长|楼组长|单元长|河长|街长|路长|责任人|管理员|信息员|巡查员|上报人|处理人|报告人|经办人|户名|志愿者|owner|officer|manager"
)
_CODES = re.compile("编码|编号|代码|码|id$|code|gid|网格|grid|no$|key")

_ID_18 = re.compile(
    r"(?<![0-9A-Za-z])([1-8]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx])(?![0-9A-Za-z])"
)
_ANY_18 = re.compile(r"\d{17}[\dXx]")
_ID_15 = re.compile(r"[1-8]\d{5}(\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))\d{3}")
_MOBILE = re.compile(r"(?<![\dA-Za-z.+-])(?:\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?![\dA-Za-z.])")
_PLATE = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-HJ-NP-Z][·•\s-]?[A-HJ-NP-Z0-9]{4,5}[A-HJ-NP-Z0-9挂学警港澳]"
)
_SURNAMES = frozenset(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯"
    "龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
)
_NAME = re.compile(r"[\u4e00-\u9fff]{2,3}")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"


def refuse_personal(
    columns: Mapping[str, pa.Array], file: str, *, work_phones: Collection[str] = (), codes: Collection[str] = ()
) -> None:
    """
    ``InputRefused`` that names every column with personal data.

    Parameters
    ----------
    columns
        All columns of the file, mapped or not.
    work_phones
        Columns that are mapped to a work phone: phone numbers belong there.
    codes
        Columns that are mapped to keys and codes: long numbers belong there.
    """
    found = personal_columns(columns, work_phones=work_phones, codes=codes)
    if found:
        listed = "; ".join(f"'{column}' ({reason})" for column, reason in found.items())
        raise InputRefused(
            f"'{file}' carries personal data and is not taken: {listed}. Households and persons are numbers here; "
            "remove the columns and import again."
        )


def personal_columns(
    columns: Mapping[str, pa.Array], *, work_phones: Collection[str] = (), codes: Collection[str] = ()
) -> dict[str, str]:
    """Column to reason, for every column that seems to hold personal data."""
    from_osm = any(plain_name(column) in _OSM_MARKS for column in columns)
    found = {}
    for column, values in columns.items():
        reason = None if column in work_phones else _by_name(column, values, from_osm)
        reason = reason or _by_values(column, values, is_phone=column in work_phones, is_code=column in codes)
        if reason is not None:
            found[column] = reason
    return found


def passes_checksum(number: str) -> bool:
    """Whether an 18-digit number ends with the check digit of GB 11643."""
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, number[:17], strict=True))
    return _CHECKS[total % 11] == number[17].upper()


def _by_name(column: str, values: pa.Array, from_osm: bool) -> str | None:
    plain = plain_name(column)
    if from_osm and plain in _OSM_WORDS:
        return None
    if _NAMED_CHINESE.search(plain) and not _NOT_PEOPLE.search(plain):
        return "named so"
    if plain in _NAMED_LATIN:
        return "named so"
    if _POSTS.search(plain) and _share(_NAME, _texts(values), like_a_name=True) > 0.5:
        return "values like people's names"
    return None


def _by_values(column: str, values: pa.Array, *, is_phone: bool, is_code: bool) -> str | None:
    texts = _texts(values)
    if not texts:
        return None
    if any(_is_id(match[1]) for text in texts for match in _ID_18.finditer(text)):
        return "values like 18-digit identity numbers"
    whole = [text for text in texts if _ANY_18.fullmatch(text)]
    if whole and not is_code and sum(map(passes_checksum, whole)) * 2 >= len(whole) and len(whole) * 2 >= len(texts):
        return "values that pass the check of identity numbers"
    looks_like_codes = is_code or _CODES.search(plain_name(column)) is not None
    if not looks_like_codes and _has_old_ids(texts):
        return "values like 15-digit identity numbers"
    if any(_PLATE.fullmatch(text.strip()) for text in texts):
        return "values like number plates"
    if not is_phone and _has_mobiles(texts, values.type, looks_like_codes):
        return "values like mobile numbers"
    return None


def _texts(values: pa.Array) -> list[str]:
    """The distinct values of a column as text; whole numbers without a decimal point."""
    if pa.types.is_boolean(values.type) or pa.types.is_temporal(values.type) or pa.types.is_null(values.type):
        return []
    return [_text(value) for value in pc.unique(values).to_pylist() if value is not None and value != ""]


def _text(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _is_id(number: str) -> bool:
    try:
        born = dt.date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    return dt.date(1900, 1, 1) <= born <= dt.date(2030, 1, 1) and 11 <= int(number[:2]) <= 82


def _has_old_ids(texts: list[str]) -> bool:
    """Birthdays differ from person to person; the middle of grid codes, which are as long, hardly does."""
    dates = [match[1] for text in texts if (match := _ID_15.fullmatch(text))]
    return len(dates) * 2 > len(texts) and len(set(dates)) * 2 > len(dates)


def _has_mobiles(texts: list[str], kind: pa.DataType, looks_like_codes: bool) -> bool:
    if looks_like_codes:
        return False
    n = sum(1 for text in texts if _MOBILE.search(text))
    return n * 2 > len(texts) if pa.types.is_integer(kind) or pa.types.is_floating(kind) else n > 0


def _share(pattern: re.Pattern[str], texts: list[str], *, like_a_name: bool) -> float:
    if not texts:
        return 0.0
    hits = [text for text in texts if pattern.fullmatch(text) and (not like_a_name or text[0] in _SURNAMES)]
    return len(hits) / len(texts)
