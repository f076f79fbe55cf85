"""CloudFormation without image processing: stacks, scopes, handles, layouts, names and tags."""
