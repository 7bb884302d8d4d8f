"""Sends an object of so many megabytes up and down over HTTP, and prints by how much this process grew."""

from __future__ import annotations

import http.client
import json
import resource
import sys
from urllib.parse import urlsplit

from botocore.config import Config

from pytest_stsguard.cloud import Cloud

MB = 1024 * 1024
BLOCK = bytes(MB)


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(megabytes: int) -> None:
    with Cloud(world="empty") as cloud:
        server = cloud.serve()
        s3 = cloud.client("s3", endpoint_url=server.url, config=Config(signature_version="s3v4"))
        cloud.client("s3").create_bucket(Bucket="large")
        cloud.client("s3").put_object(Bucket="large", Key="small", Body=b"warm")
        urls = [
            s3.generate_presigned_url(name, Params={"Bucket": "large", "Key": "k"}, ExpiresIn=600)
            for name in ("put_object", "get_object")
        ]
        connection = http.client.HTTPConnection(urlsplit(server.url).netloc)
        before = peak_mb()
        put, get = (url.removeprefix(server.url) for url in urls)
        connection.request(
            "PUT", put, body=(BLOCK for _ in range(megabytes)), headers={"Content-Length": str(megabytes * MB)}
        )
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        answer.read()
        connection.request("GET", get)
        answer = connection.getresponse()
        down = 0
        while block := answer.read(MB):
            down += len(block)
        connection.close()
        json.dump({"up": megabytes * MB, "down": down, "grown_mb": peak_mb() - before}, sys.stdout)


if __name__ == "__main__":
    main(int(sys.argv[1]))
