"""The root module of the function's package: Lambda's handler is `index.lambda_handler`."""

from imgpipe_bucket_notification.handler import lambda_handler

__all__ = ["lambda_handler"]
