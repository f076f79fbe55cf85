"""The root module of the function's package: Lambda's handler is `index.lambda_handler`."""

import gc

gc.disable()  # what is imported stays: looking for garbage among it takes a tenth of the import

from imgpipe_processor.handler import lambda_handler  # noqa: E402 - after the line above

gc.freeze()
gc.enable()

__all__ = ["lambda_handler"]
