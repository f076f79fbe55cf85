"""Limits of CloudFormation for one template, and of other services for names and patterns.

"AWS CloudFormation quotas", AWS CloudFormation User Guide, text of 2023 read 2026-11; cfn-lint 1.58.0 has the same.
"""

from __future__ import annotations

MAX_RESOURCES = 500
MAX_PARAMETERS = 200
MAX_OUTPUTS = 200
MAX_MAPPINGS = 200
MAX_MAPPING_ATTRIBUTES = 200
MAX_DESCRIPTION_BYTES = 1_024
MAX_NAME_CHARACTERS = 255
MAX_PARAMETER_VALUE_BYTES = 4_096

# "Template body size in a request"; a larger template has to be uploaded to S3 first.
MAX_REQUEST_BYTES = 51_200
# "Template body size in an Amazon S3 object", documented as 1 MB; the smaller meaning of MB.
MAX_S3_BYTES = 1_000_000

# "Amazon EventBridge quotas", Amazon EventBridge User Guide, read 2026-12.
MAX_EVENT_PATTERN_CHARACTERS = 2_048
# "Bucket naming rules", Amazon S3 User Guide, read 2026-12.
MAX_BUCKET_NAME_CHARACTERS = 63
