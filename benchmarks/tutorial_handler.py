"""The handler that tutorials of this pipeline propose, as document 003 does, mended only so far that it runs.

Clients are made in the handler, an id is drawn for every event, a metric is sent for every image.
"""

from __future__ import annotations

import io
import os
import uuid
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote_plus

import boto3
from PIL import Image


def make_thumbnail(content: bytes, size: int) -> tuple[bytes, str]:
    """The encoded thumbnail, and Pillow's name of its format."""
    image = Image.open(io.BytesIO(content))
    image.thumbnail((size, size), Image.Resampling.LANCZOS)
    image_format = "JPEG" if image.mode == "RGB" else "PNG"
    out = io.BytesIO()
    image.save(out, format=image_format)
    return out.getvalue(), image_format


def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Make a thumbnail of every uploaded image, and keep a record of it."""
    s3 = boto3.client("s3")
    table = boto3.resource("dynamodb").Table(os.environ["METADATA_TABLE"])
    cloudwatch = boto3.client("cloudwatch")
    for record in event["Records"]:
        bucket = record["s3"]["bucket"]["name"]
        key = unquote_plus(record["s3"]["object"]["key"])
        image_id = str(uuid.uuid4())
        content = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        thumbnail, image_format = make_thumbnail(content, int(os.environ["THUMBNAIL_SIZE"]))
        s3.put_object(
            Bucket=os.environ["THUMBNAIL_BUCKET"],
            Key=f"thumbnails/{image_id}.{image_format.lower()}",
            Body=thumbnail,
            ContentType=f"image/{image_format.lower()}",
        )
        table.put_item(
            Item={
                "ImageID": image_id,
                "OriginalBucket": bucket,
                "OriginalKey": key,
                "ProcessingStatus": "SUCCESS",
                "UploadTimestamp": datetime.now(UTC).isoformat(),
            }
        )
        cloudwatch.put_metric_data(
            Namespace="ImageProcessing",
            MetricData=[
                {
                    "MetricName": "ProcessedImages",
                    "Value": 1,
                    "Unit": "Count",
                    "Dimensions": [{"Name": "Environment", "Value": os.environ["ENVIRONMENT"]}],
                }
            ],
        )
    return {"statusCode": 200}
