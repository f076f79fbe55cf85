"""The image processor: a Lambda function that turns uploaded JPEG and PNG objects into records and thumbnails."""
