"""AWS clients: one for each service and job run."""

from __future__ import annotations

from functools import cache

import boto3

client = cache(boto3.client)
