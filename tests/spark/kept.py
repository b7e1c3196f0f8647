"""A shop as it was at one moment, put back for each test: its tables are made and loaded once, not test by test."""

from __future__ import annotations

import shutil
from copy import copy
from pathlib import Path

import boto3

from lake.ledger import Ledger
from tests.spark.shop import Shop

LEDGER = "headwater-test-ledger"
AT_ONCE = 25  # items that BatchWriteItem takes


class Kept:
    """The tables, bronze and ledger of a shop; `folder` is where the copy of its files is."""

    def __init__(self, shop: Shop, folder: Path) -> None:
        self._shop, self._lake, self._number, self._folder = shop, shop.lake, shop.number, folder
        pages = boto3.client("dynamodb").get_paginator("scan").paginate(TableName=LEDGER)
        self._items = [item for page in pages for item in page["Items"]]
        for each in shop.folders():
            shutil.copytree(each, folder / each.name)

    def again(self, ledger: Ledger) -> Shop:
        """The shop as it was, in the same folders since its tables know them by name, over a ledger that is empty."""
        for each in self._shop.folders():
            shutil.rmtree(each)
        for each in self._folder.iterdir():
            shutil.copytree(each, self._shop.warehouse / each.name)
        client = boto3.client("dynamodb")
        for start in range(0, len(self._items), AT_ONCE):
            puts = [{"PutRequest": {"Item": each}} for each in self._items[start : start + AT_ONCE]]
            client.batch_write_item(RequestItems={LEDGER: puts})
        shop = copy(self._shop)
        shop.ledger, shop.lake, shop.number = ledger, self._lake, self._number
        return shop
