"""The retrieval API: a Lambda function that answers with image metadata and links to the bytes; it only reads."""
