"""An object of S3 as a file that fetches only the bytes that are read of it."""

from __future__ import annotations

import io
from typing import Any
from urllib.parse import urlparse

from botocore.exceptions import ClientError

from cli.errors import CommandError

BLOCK = 64 * 1024
MOST = 64  # blocks of one fetch
KEPT = 512  # blocks, for a format that goes back and forth


class S3Object(io.RawIOBase):
    """`s3://bucket/key`, read by ranges; `fetched` counts the bytes that came over the wire."""

    def __init__(self, client: Any, uri: str) -> None:
        found = urlparse(uri)
        self._client, self._bucket, self._key = client, found.netloc, uri.partition(f"//{found.netloc}/")[2]
        if found.scheme != "s3" or not self._bucket or not self._key:
            raise CommandError(f"The object '{uri}': expected s3://BUCKET/KEY. Correct it.")
        self.uri, self.fetched, self._position = uri, 0, 0
        self._blocks: dict[int, bytes] = {}
        self._ahead, self._next = 1, -1
        self.size, self._etag = self._look()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence]
        self._position = base + offset
        return self._position

    def readinto(self, buffer: Any) -> int:
        wanted = min(len(buffer), self.size - self._position)
        if wanted <= 0:
            return 0
        number, offset = divmod(self._position, BLOCK)
        if number not in self._blocks:
            self._fetch(number, (offset + wanted - 1) // BLOCK + 1)
        part = self._blocks[number][offset : offset + wanted]
        buffer[: len(part)] = part
        self._position += len(part)
        return len(part)

    def _fetch(self, number: int, blocks: int) -> None:
        """Blocks from here on; who reads on from where the last fetch ended gets more at once."""
        self._ahead = min(2 * self._ahead, MOST) if number == self._next else 1
        while len(self._blocks) > KEPT:
            self._blocks.pop(next(iter(self._blocks)))
        start = number * BLOCK
        last = min(start + max(blocks, self._ahead) * BLOCK, self.size) - 1
        asked = {"Bucket": self._bucket, "Key": self._key, "Range": f"bytes={start}-{last}"}
        try:
            body = self._client.get_object(**asked, IfMatch=self._etag)["Body"].read()
        except ClientError as error:
            raise self._refused(error) from error
        for place in range(0, len(body), BLOCK):
            self._blocks[number + place // BLOCK] = body[place : place + BLOCK]
        self._next = number + -(-len(body) // BLOCK)
        self.fetched += len(body)

    def _look(self) -> tuple[int, str]:
        try:
            head = self._client.head_object(Bucket=self._bucket, Key=self._key)
        except ClientError as error:
            raise self._refused(error) from error
        if head.get("StorageClass") in ("GLACIER", "DEEP_ARCHIVE"):
            raise CommandError(f"The object '{self.uri}' is archived: expected one that can be read. Restore it first.")
        return int(head["ContentLength"]), str(head["ETag"])

    def _refused(self, error: ClientError) -> CommandError:
        code = error.response["Error"]["Code"]
        if code == "PreconditionFailed":
            return CommandError(f"The object '{self.uri}' was replaced while it was read. Try again.")
        if code in ("403", "AccessDenied"):
            return CommandError(f"The object '{self.uri}': expected permission to read it: s3:GetObject and its key.")
        if code not in ("404", "NoSuchKey", "NoSuchBucket", "NotFound"):
            return CommandError(f"The object '{self.uri}': S3 answered {error}.")
        return CommandError(f"The object '{self.uri}' is not there.{self._near()}")

    def _near(self) -> str:
        """What begins so, for who named a folder."""
        try:
            found = self._client.list_objects_v2(Bucket=self._bucket, Prefix=self._key, MaxKeys=3).get("Contents", [])
        except ClientError as error:
            return f" Its bucket could not be listed either: {error.response['Error']['Code']}."
        names = ", ".join(f"s3://{self._bucket}/{each['Key']}" for each in found)
        return f" There is {names}." if names else " Nothing of its bucket begins so."
