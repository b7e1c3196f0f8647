"""Mapping templates behave as API Gateway's: Java's methods, its traps, and nothing that works here alone."""

from __future__ import annotations

from typing import Any

import pytest

from local.engines import jackson, velocity


def rendered(template: str, body: str = "{}", **context: Any) -> str:
    return velocity.render(template, velocity.Input(body, jackson.read(body), {"header": {"Accept": "x"}}), context, {})


@pytest.mark.parametrize(
    ("template", "body", "expected"),
    [
        ("$input.json('$')", '{ "a": [1, "é"] }', '{"a":[1,"é"]}'),
        ("$input.json('$.a[1]')", '{"a":[1,"x"]}', '"x"'),
        ("$input.json('$.none')", "{}", '""'),
        ("$input.path('$.a').size()", '{"a":[1,2]}', "2"),
        ("$input.path('$.a')", '{"a":{"b":1}}', "{b=1}"),  # not JSON: the trap of putting an object into a template
        ("$input.path('$.a')", '{"a":[{"b":1}]}', '[{"b":1}]'),
        ("$input.path('$.a')", '{"a":true}', "true"),
        ("$input.path('$').none", "{}", "$input.path('$').none"),
        ("$!input.path('$').none", "{}", ""),
        ("$input.body", '{ "a":1 }', '{ "a":1 }'),
        ("$input.params('Accept')", "{}", "x"),
        ("#foreach($e in $input.path('$'))$foreach.index:$e#if($foreach.hasNext),#end#end", '["a","b"]', "0:a,1:b"),
        ("#foreach($k in $input.path('$').keySet())$k#end", '{"a":1,"b":2}', "ab"),
        ("$util.base64Encode('é')", "{}", "w6k="),
        ("$util.base64Decode('w6k=')", "{}", "é"),
        ("$util.urlEncode('a b&c')", "{}", "a+b%26c"),
        ("$util.urlDecode('a+b%26c')", "{}", "a b&c"),
        ("$util.parseJson('{\"a\":[5]}').a[0]", "{}", "5"),
        ("$util.escapeJavaScript($input.path('$'))", '"a\'b\\"é"', "a\\'b\\\"\\u00E9"),  # \' is no JSON
        ("$util.escapeJavaScript($input.path('$')).replaceAll(\"\\\\'\", \"'\")", '"a\'b"', "a'b"),
        ("#set($s = $input.path('$'))$s.length()", '"a😀"', "3"),  # Java counts UTF-16 units
        ("#set($s = 'ab')$s.replaceAll('(a)(b)', '$2$1')", "{}", "ba"),
        ("#set($l = [])#set($x = $l.add('a'))$l.get(0)$l.size()", "{}", "a1"),
    ],
)
def test_a_template_renders_as_api_gateways(template: str, body: str, expected: str) -> None:
    assert rendered(template, body) == expected


def test_half_a_surrogate_pair_becomes_a_question_mark_as_in_java() -> None:
    assert rendered("$util.base64Encode($input.json('$'))", r'"\ud800"') == "Ij8i"


@pytest.mark.parametrize("template", ["$input.path('$').upper()", "$x.strip()", "$x.getClass()", "$util.toJson($x)"])
def test_a_method_that_api_gateway_does_not_document_is_refused(template: str) -> None:
    with pytest.raises(velocity.TemplateError, match="expected one of"):
        rendered(template)


@pytest.mark.parametrize("path", ["$..a", "$.a[*]", "$.a[?(@.b)]", "a", "$.a[-1]"])
def test_a_path_that_the_laptop_does_not_follow_is_refused(path: str) -> None:
    with pytest.raises(velocity.TemplateError, match="expected names and indexes"):
        rendered(f"$input.json('{path}')")


def test_an_override_that_is_set_twice_fails_as_in_api_gateway() -> None:
    override = velocity.Overridden()
    rendered("#set($context.responseOverride.status = 413)", responseOverride=override)
    assert override == {"status": 413}
    with pytest.raises(velocity.TemplateError, match="expected once"):
        rendered("#set($context.responseOverride.status = 400)", responseOverride=override)


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", "[1,]", "01", "'a'", "[" * 100_000, '"\n"', "", "9" * 5000])
def test_what_jackson_does_not_read_is_not_read(text: str) -> None:
    with pytest.raises(jackson.JsonError):
        jackson.read(text)


def test_a_number_that_no_double_holds_is_written_as_a_text() -> None:
    assert jackson.write(jackson.read('{"a":[1e400,-1e400,1.5]}')) == '{"a":["Infinity","-Infinity",1.5]}'
