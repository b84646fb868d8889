r"""The general reader of line protocol knows every form: escapes, strings, integers, comments, faults."""

import pytest

from api import line_protocol
from api.line_protocol import LineFault


def fields_of(text: str) -> dict[str, float]:
    return dict(line_protocol.read_line(text.encode(), 0).fields)


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("m x=1.5", {"m.x": 1.5}),
        ("m x=1.5,y=-2e3 5", {"m.x": 1.5, "m.y": -2000.0}),
        ("m,host=a x=1", {"m.a.x": 1.0}),
        ("m,b=2,a=1 x=1", {"m.1.2.x": 1.0}),
        ("m x=3i,y=4u", {"m.x": 3.0, "m.y": 4.0}),
        ("m a=t,b=T,c=true,d=True,e=TRUE", dict.fromkeys(("m.a", "m.b", "m.c", "m.d", "m.e"), 1.0)),
        ("m a=f,b=F,c=false,d=False,e=FALSE", dict.fromkeys(("m.a", "m.b", "m.c", "m.d", "m.e"), 0.0)),
        (r"m\ n,t\,u=v\=w x\ y=1", {"m n.v=w.x y": 1.0}),
        (r"m\,n x=1", {"m,n.x": 1.0}),
        (r"a\b,t=c\d x=1", {r"a\b.c\d.x": 1.0}),
        ("测点,站=甲 功率=1", {"测点.甲.功率": 1.0}),
        ("  m x=1", {"m.x": 1.0}),
        ("m   x=1   5  ", {"m.x": 1.0}),
        ('m "x"=1', {'m."x"': 1.0}),
    ],
    ids=[
        "float", "two and time", "tag", "tags by key", "whole numbers", "true", "false", "escapes",
        "comma in the measurement", "backslash alone is plain", "Chinese", "leading spaces", "many spaces",
        "quotes in a key are plain",
    ],
)  # fmt: skip
def test_fields_are_named_and_read(text: str, fields: dict[str, float]) -> None:
    assert fields_of(text) == fields


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("m x=1 1514765700000000000", 1514765700000000000),
        ("m x=1 -5", -5),
        ("m x=1", None),
        ("m x=1 5\r", 5),
        ("m x=1\r", None),
    ],
)
def test_the_time_is_the_last_part(text: str, time: int | None) -> None:
    line = line_protocol.read_line(text.encode(), 0)
    assert line.time == time
    assert not line.faults


@pytest.mark.parametrize("text", ["", "\n", "   ", "# a comment x=1", "\t\r\n", "   # too"])
def test_blank_lines_and_comments_hold_nothing(text: str) -> None:
    line = line_protocol.read_line(text.encode(), 0)
    assert (line.fields, line.faults, line.next_at) == ([], [], len(text))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("m", "there are no fields"),
        ("m ", "field key is missing"),
        ("m x", "has no value"),
        ("m =1", "field key is missing"),
        ("m x=1,", "field key is missing"),
        ("m x=1 y", "whole number of time"),
        ("m x=1 5 6", "whole number of time"),
        ("m x=1 1.5", "whole number of time"),
        ("m x=1 " + "9" * 20, "whole number of time"),
        (",t=a x=1", "a measurement is missing"),
        ("m, x=1", "a tag is missing"),
        ("m,t x=1", "tag t has no value"),
        ("m,t= x=1", "tag t has an empty value"),
        ("m,=v x=1", "tag key is missing"),
        ("m,t=a,t=b x=1", "occurs twice"),
        ("m,t=a=b x=1", "equals sign"),
        ('m x="open', "not closed"),
        ('m x="a"b', "whole number of time"),
    ],
)
def test_a_line_of_wrong_structure_is_lost_as_a_whole(text: str, says: str) -> None:
    line = line_protocol.read_line(text.encode() + b"\nm ok=1\n", 0)
    assert not line.fields
    assert [fault.code for fault in line.faults] == ["malformed_line"]
    assert says in line.faults[0].detail


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("nan", "not_finite"),
        ("-Infinity", "not_finite"),
        ("1e999", "not_finite"),
        ("9223372036854775808i", "bad_value"),
        ("-1u", "bad_value"),
        ("1.5i", "bad_value"),
        ("tru", "bad_value"),
        ("", "bad_value"),
        ("0x10", "bad_value"),
        ("1_0", "bad_value"),
        ('"text"', "text_skipped"),
        (r'"a \" b"', "text_skipped"),
    ],
)
def test_a_value_that_cannot_be_stored_costs_only_its_field(value: str, code: str) -> None:
    line = line_protocol.read_line(f"m a=1,x={value},b=2 7".encode(), 0)
    assert dict(line.fields) == {"m.a": 1.0, "m.b": 2.0}
    assert [fault.code for fault in line.faults] == [code]
    assert line.time == 7


def test_a_string_may_hold_line_ends() -> None:
    body = b'm s="a\nb",x=1 5\nm y=2\n'
    line = line_protocol.read_line(body, 0)
    assert dict(line.fields) == {"m.x": 1.0}
    assert line.line_count == 2
    assert dict(line_protocol.read_line(body, line.next_at).fields) == {"m.y": 2.0}


def test_a_name_that_is_not_utf8_is_a_fault() -> None:
    line = line_protocol.read_line(b"m\xff x=1", 0)
    assert line.faults[0].code == "malformed_line"


def test_a_series_alone_gives_its_name_or_its_fault() -> None:
    assert line_protocol.point_name(b"m,b=2,a=1", b"x") == "m.1.2.x"
    assert isinstance(line_protocol.point_name(b"m,b=2,b=1", b"x"), LineFault)
