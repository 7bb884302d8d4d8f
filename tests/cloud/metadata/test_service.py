from __future__ import annotations

import http.client
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pytest_stsguard.cloud.metadata import MetadataService, Request

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from pytest_stsguard.clock import SimulatedClock


IAM = "/latest/meta-data/iam/security-credentials/"
PATHS = ["/", "/latest", "/latest/meta-data/", "/latest/meta-data/ami-id", IAM, "/latest/user-data", "/nowhere"]


@pytest.mark.parametrize("path", PATHS)
def test_without_a_token_nothing_is_told_where_tokens_are_required(
    fetch: Callable[..., Any], machine: Any, path: str
) -> None:
    machine.metadata = replace(machine.metadata, http_tokens="required")
    reply = fetch(path)
    assert (reply.status, reply.body) == (401, b"")
    assert reply.headers["Content-Type"] == "text/plain"


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "POST"])
@pytest.mark.parametrize("path", [*PATHS, "/latest/api/token"])
def test_a_disabled_endpoint_forbids_everything(
    fetch: Callable[..., Any], machine: Any, method: str, path: str
) -> None:
    machine.metadata = replace(machine.metadata, http_endpoint="disabled")
    headers = {"X-aws-ec2-metadata-token-ttl-seconds": "60"}
    assert fetch(path, method=method, headers=headers).status == 403


def test_a_change_of_the_options_holds_from_the_next_request_on(fetch: Callable[..., Any], machine: Any) -> None:
    assert fetch("/latest/").status == 200
    machine.metadata = replace(machine.metadata, http_endpoint="disabled")
    assert fetch("/latest/").status == 403
    machine.metadata = replace(machine.metadata, http_endpoint="enabled")
    assert fetch("/latest/").status == 200


def test_a_stopped_instance_answers_nothing(fetch: Callable[..., Any], machine: Any) -> None:
    machine.is_running = False
    with pytest.raises(http.client.RemoteDisconnected):
        fetch("/latest/meta-data/ami-id")
    machine.is_running = True
    assert fetch("/latest/meta-data/ami-id").status == 200


@pytest.mark.parametrize("method", ["POST", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "get", "X"])
@pytest.mark.parametrize("path", PATHS)
def test_metadata_is_read_only(fetch: Callable[..., Any], method: str, path: str) -> None:
    reply = fetch(path, method=method)
    assert (reply.status, reply.headers["Allow"]) == (405, "GET, HEAD")
    assert "<h1>405 - Method Not Allowed</h1>" in reply.text


def test_an_unknown_path_gets_ec2s_page(fetch: Callable[..., Any]) -> None:
    reply = fetch("/latest/meta-data/nothing")
    assert (reply.status, reply.headers["Content-Type"], reply.headers["Content-Length"]) == (404, "text/html", "339")
    assert reply.text.startswith('<?xml version="1.0" encoding="iso-8859-1"?>\n<!DOCTYPE html PUBLIC')
    assert reply.text.endswith(" <body>\n  <h1>404 - Not Found</h1>\n </body>\n</html>\n")


@pytest.mark.parametrize(
    "path",
    [
        "/latest/meta-data/../meta-data/ami-id",
        "/latest/meta-data/%2e%2e/meta-data/ami-id",
        "/latest/meta-data/iam%2Finfo",
        "//latest/meta-data/ami-id",
        "/latest//meta-data/ami-id",
        "/latest/meta-data/ami-id//",
        "/latest/meta-data/ami-id/more",
        "/latest/meta-data/ami-id%00",
        "/latest/meta-data/AMI-ID",
        "/Latest/meta-data/ami-id",
        "/2099-01-01/meta-data/ami-id",
        "/latest/api",
        "/../../etc/passwd",
        "/%",
        "/%zz",
    ],
)
def test_there_is_no_other_way_to_spell_a_path(fetch: Callable[..., Any], path: str) -> None:
    assert fetch(path).status == 404


@pytest.mark.parametrize(
    "path",
    [
        "/latest/meta-data/ami-id",
        "/latest/meta-data/ami-id/",
        "/latest/meta-data/ami%2Did?x=/../",
        "/1.0/meta-data/ami-id",
    ],
)
def test_a_slash_an_encoding_a_query_and_a_version_make_no_difference(fetch: Callable[..., Any], path: str) -> None:
    assert fetch(path).text == "ami-0a887e401f7654935"


def test_the_absolute_form_of_a_target_is_understood(machine: Any, clock: SimulatedClock) -> None:
    service = MetadataService(machine, clock)
    for target in ("http://169.254.169.254/latest/meta-data/ami-id", "HTTP://a:80/latest/meta-data/ami-id#f"):
        answer = service.answer(Request("GET", target))
        assert answer is not None
        assert answer.body == b"ami-0a887e401f7654935"
    root = service.answer(Request("GET", "http://169.254.169.254"))
    assert root is not None
    assert root.body.endswith(b"\nlatest")


@pytest.mark.parametrize("target", ["*", "169.254.169.254:80", "ftp://x/latest", "latest/meta-data"])
def test_a_target_that_is_no_path_is_a_bad_request(machine: Any, clock: SimulatedClock, target: str) -> None:
    answer = MetadataService(machine, clock).answer(Request("GET", target))
    assert answer is not None
    assert answer.status == 400


@pytest.mark.parametrize(
    "path", ["/", "/latest/meta-data/ami-id", IAM, "/latest/user-data", "/latest/meta-data/nothing"]
)
def test_head_is_get_without_the_body(fetch: Callable[..., Any], path: str) -> None:
    head, get = fetch(path, method="HEAD"), fetch(path)
    assert (head.status, head.body) == (get.status, b"")
    for reply in (head, get):
        reply.headers.pop("Date")
    assert head.headers == get.headers


def test_an_answer_carries_the_headers_of_ec2(fetch: Callable[..., Any]) -> None:
    reply = fetch("/latest/meta-data/ami-id")
    date = reply.headers.pop("Date")
    assert date.endswith(" GMT")
    assert reply.headers == {
        "Content-Type": "text/plain",
        "Accept-Ranges": "none",
        "Last-Modified": "Mon, 04 May 2026 03:02:01 GMT",
        "Content-Length": "21",
        "Server": "EC2ws",
        "Connection": "close",
    }


def test_a_request_shows_no_token(machine: Any) -> None:
    assert "s3cr3t" not in repr(Request("GET", "/", {"x-aws-ec2-metadata-token": "s3cr3t"}))
