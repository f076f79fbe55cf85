"""The helper behind `Custom::S3BucketNotification`: adds a stack's entries to a bucket's notifications, and no more."""
