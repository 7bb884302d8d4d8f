from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pytest_stsguard.account.stack.template import DEEP, read_template
from pytest_stsguard.errors import InputError

if TYPE_CHECKING:
    from pytest_stsguard.account.stack.node import Node

LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join([f'*{chr(97 + i)}'] * 10)}]\n" for i in range(12)
)


def lines(node: Node, path: str = "") -> dict[str, int | None]:
    found = {path: node.location.line}
    if isinstance(node.value, dict):
        for name, inner in node.value.items():
            found |= lines(inner, f"{path}/{name}")
    if isinstance(node.value, list):
        for index, inner in enumerate(node.value):
            found |= lines(inner, f"{path}/{index}")
    return found


def test_yaml_tags_are_the_short_forms_of_functions() -> None:
    text = """
    a: !Ref X
    b: !GetAtt Role.Arn
    c: !Sub "x-${Y}"
    d: !Join [":", [a, !Ref B]]
    e: !If [Prod, !Ref AWS::NoValue, {Fn::Sub: z}]
    f: !Condition Prod
    g: !GetAtt [Role, Arn]
    h: !Sub yes
    i: !Transform {Name: AWS::Include}
    """
    assert read_template(text, "t.yaml").plain() == {
        "a": {"Ref": "X"},
        "b": {"Fn::GetAtt": ["Role", "Arn"]},
        "c": {"Fn::Sub": "x-${Y}"},
        "d": {"Fn::Join": [":", ["a", {"Ref": "B"}]]},
        "e": {"Fn::If": ["Prod", {"Ref": "AWS::NoValue"}, {"Fn::Sub": "z"}]},
        "f": {"Condition": "Prod"},
        "g": {"Fn::GetAtt": ["Role", "Arn"]},
        "h": {"Fn::Sub": "yes"},
        "i": {"Fn::Transform": {"Name": "AWS::Include"}},
    }


def test_scalars_are_what_yaml_1_1_says_and_numbers_and_dates_stay_as_written() -> None:
    text = "[2012-10-17, 111122223333, 1.50, yes, Off, 'true', ~, null, '', 0x1F, !!str 012, !!int 3, 012345670123]"
    found = read_template(f"a: {text}", "t.yaml").plain()["a"]
    assert found[:11] == ["2012-10-17", "111122223333", "1.50", True, False, "true", None, None, "", "0x1F", "012"]
    assert found[11] == [{"stsguard:unknown": "the tag `tag:yaml.org,2002:int` is not known here"}]
    assert found[12] == [
        {"stsguard:unknown": "the number `012345670123`, which YAML reads as octal: write it in quotes"}
    ]


def test_every_value_keeps_its_line() -> None:
    text = "a:\n  b: 1\n  c:\n    - x\n    - !Sub |\n        long\n        text\n    - {d: e,\n       f: g}\n"
    assert lines(read_template(text, "t.yaml")) == {
        "": 1, "/a": 2, "/a/b": 2, "/a/c": 4, "/a/c/0": 4, "/a/c/1": 5, "/a/c/1/Fn::Sub": 5,
        "/a/c/2": 8, "/a/c/2/d": 8, "/a/c/2/f": 9,
    }  # fmt: skip
    node = read_template(text, "t.yaml").get("a", "c")
    assert node is not None
    assert str(node.items[2].location) == "t.yaml:8: a.c[2]"
    json_text = '{"a": {\n "b": 1,\n "c": ["x",\n {"d": "e"}]}}'
    assert lines(read_template(json_text, "t.json")) == {
        "": 1, "/a": 1, "/a/b": 2, "/a/c": 3, "/a/c/0": 3, "/a/c/1": 4, "/a/c/1/d": 4,
    }  # fmt: skip


VALUES = st.recursive(
    st.one_of(st.booleans(), st.none(), st.text(st.characters(codec="ascii", categories=("L", "N", "P", "S")))),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text("abcXYZ: -", min_size=1), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.text("abc", min_size=1), VALUES, max_size=4))
def test_json_and_yaml_of_the_same_value_are_the_same(value: dict[str, Any]) -> None:
    dumped = yaml.dump(value, Dumper=yaml.CSafeDumper)
    assert read_template(json.dumps(value), "t.json").plain() == value
    assert read_template(json.dumps(value, indent="\t"), "t.json").plain() == value
    if "0" not in dumped:  # what looks like an octal number is no plain text
        assert read_template(dumped, "t.yaml").plain() == value


def test_flow_style_yaml_may_begin_with_a_brace() -> None:
    assert read_template("{a: !Ref b, c: d}", "t.yaml").plain() == {"a": {"Ref": "b"}, "c": "d"}


def test_aliases_share_their_value() -> None:
    template = read_template("a: &x {b: &y c}\nd: *x\ne: *y\nf: &z !Sub g\nh: *z\n", "t.yaml")
    assert template.get("d") is template.get("a")
    assert template.plain()["e"] == "c"
    assert template.plain()["h"] == {"Fn::Sub": "g"}


def test_a_billion_laughs_cost_nothing_to_read() -> None:
    template = read_template(LAUGHS, "t.yaml")
    assert len(template.value) == 13
    inner = template.get("m")
    assert inner is not None
    assert inner.items[0] is inner.items[9]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "t:2:1: neither JSON nor YAML: did not find expected node"),
        ("a: b: c", "t:1:5: neither JSON nor YAML: mapping values are not allowed"),
        ("\ta: b", "t:1:1: neither JSON nor YAML: found character that cannot start any token"),
        ("a: \x00b", "t:1"),
        ("a: 'b\x01'", "t:1"),
        ('a: "\\ud800"', "t:1"),
        ('{"a": "\\ud800"}', "t:1: a: a text holds half a surrogate pair"),
        ("a: 1\na: 2", "t:2: `a` comes twice in one object"),
        ('{"a": 1,\n"a": 2}', "t:1: `a` comes twice in one object"),
        ("a: {<<: b}", "t:1: a: CloudFormation takes no merges (`<<`)"),
        ("a: &x [*x]", "t:1: a[0]: the alias `*x` stands inside the value that it names"),
        ("a: *x", "t:1"),
        ("? [a]\n: b", "t:1: the name of a value is a text"),
        ("a: &x b\n? *x\n: c", "t:2: the name of a value is a text"),
        ("a: b\n---\nc: d", "t:2: a second document: a template is one"),
        ("# nothing", "t: holds no template"),
        ("just a text", "t:1: a template is an object"),
        ("- a\n- b", "t:1: a template is an object"),
        ("[1, 2]", "t:1: a template is an object"),
        ('{"Resources": {"a": NaN}}', "not JSON"),
        ('{"Resources": {"a": }}', "t:1:21: not JSON: expecting value"),
        ('{"a": ' + "9" * 5000 + "}", ""),
        ("a: " + "[" * 20_000, f"more than {DEEP} lists and objects inside one another"),
        ('{"Resources": ' + '{"a": ' * 100 + "1" + "}" * 101, f"more than {DEEP} lists and objects inside one another"),
        ('{"Resources": ' + "[" * 200_000, "nested too deeply"),
        ("a: !!binary aGVsbG8=", ""),
        ("%YAML 9.9\n---\na: b", "t:1"),
    ],
)
def test_what_is_no_template_is_one_clear_line(text: str, message: str) -> None:
    try:
        read_template(text, "t")
    except InputError as error:
        assert message in str(error)  # noqa: PT017 - for some, both outcomes are good
        assert "\n" not in str(error)  # noqa: PT017 - as above
    else:
        assert message == ""


@given(st.text(max_size=60))
def test_any_text_is_a_template_or_one_clear_line(text: str) -> None:
    try:
        read_template(text, "t.yaml")
    except InputError as error:
        assert "\n" not in str(error)  # noqa: PT017 - both outcomes are good, a traceback is not


@given(st.text("{}[]:,&*!-?|>'\"%@ \n\tab01", max_size=40))
def test_any_signs_of_yaml_are_a_template_or_one_clear_line(text: str) -> None:
    try:
        read_template(f"a: {text}", "t.yaml")
    except InputError as error:
        assert "\n" not in str(error)  # noqa: PT017 - both outcomes are good, a traceback is not


def test_a_node_tells_what_is_unknown_inside_it() -> None:
    template = read_template("a: {b: [c, !!binary d, 09, 07]}\ne: [f]\n", "t.yaml")
    found = template.unknown()
    assert found is not None
    assert found.name == "the tag `tag:yaml.org,2002:binary` is not known here"
    inner = template.get("e")
    assert inner is not None
    assert inner.unknown() is None
    assert template.get("e", "f") is None
    assert template.located().child("a", "b", 9).line == 1
    assert template.located().child("e", 0).line == 2
    assert template.located().child("e", "x").line == 2
