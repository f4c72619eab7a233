"""People are not imported, whatever the column is called."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onemap.ingest.personal import passes_checksum, personal_columns


def found(column: str, *values: object, **more: object) -> bool:
    return column in personal_columns({column: pa.array(values or ["x"])}, **more)


@pytest.mark.parametrize(
    "column",
    ["身份证", "身份证号码", "户主姓名", "姓名", "户主", "车牌号", "手机号码", "人脸特征", "民族", "宗教信仰", "慢性疾病", "病史", "前科",
     "联系人", "联系人名称", "出生日期", "id_card", "ID Card", "IdCardNo", "sfzh", "xingming", "owner_name", "license_plate",
     "mobile_phone", "ethnicity", "religion", "criminal_record"],
)  # fmt: skip
def test_a_column_named_for_people_is_found_whatever_it_holds(column):
    assert found(column)


@pytest.mark.parametrize(
    "column",
    ["名称", "name", "楼栋名称", "病床数", "户数", "人数", "病房数", "网格名称", "小区名称", "address", "年份", "电话", "phone", "编号", "民政网格"],
)  # fmt: skip
def test_a_column_named_for_places_and_numbers_passes(column):
    assert not found(column, "方兴", "12")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("备注", "11010519491231002X"),
        ("备注", "业主 110105194912310021 已登记"),
        ("备注", "请拨 139 1234 5678 联系"),
        ("说明", "+8613912345678"),
        ("c1", "皖A12345"),
        ("c1", "皖AD12345"),
    ],
)
def test_values_of_people_are_found_in_any_column(column, value):
    assert found(column, "无", value)


def test_numbers_that_pass_the_check_are_found_even_without_a_birthday():
    number = next(
        f"{99_999_999_999_999_900 + i}{c}"
        for i in range(99)
        for c in "0"
        if passes_checksum(f"{99_999_999_999_999_900 + i}{c}")
    )
    assert found("c", number)


def test_old_identity_numbers_are_found_and_grid_codes_are_not():
    assert found("c", "340111620305123", "340111710812456", "340111580930789")
    assert not found("网格编码", "340111001001001", "340111001001002")
    assert not found("c", "340111001001001", "340111001001002", "340111001001003")
    assert not found("c", "340111001001001", "340111001001002", codes={"c"})


def test_a_work_phone_may_be_a_mobile_where_a_phone_belongs():
    assert found("电话", "13912345678")
    assert not found("电话", "13912345678", work_phones={"电话"})


def test_long_ids_of_things_are_no_phone_numbers():
    assert not found("osm_id", 13912345678, 13912345679)
    assert not found("capacity", 120, 13912345678, 5)


def test_posts_pass_and_the_people_who_fill_them_do_not():
    assert not found("网格员", "方兴一网格岗", "方兴二网格岗")
    assert found("网格员", "张三", "李四五", "王小明")


def test_openstreetmap_tags_describe_places():
    columns = {"osm_id": pa.array([1]), "religion": pa.array(["buddhist"])}
    assert personal_columns(columns) == {}


@given(st.integers(10**16, 10**17 - 1).map(str))
def test_exactly_one_check_digit_fits(body):
    assert sum(passes_checksum(body + digit) for digit in "0123456789X") == 1
