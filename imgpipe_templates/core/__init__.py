"""What knows CloudFormation and no images: stacks, scopes, handles, layouts, names, tags."""
