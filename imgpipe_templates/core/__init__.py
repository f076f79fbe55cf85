"""What knows CloudFormation and no images: stacks, scopes, handles, layouts, names, tags."""

from imgpipe_templates.core.lean_troposphere import import_troposphere

# Before any module here imports it: without its YAML writer, which costs a third of its import and is not used.
import_troposphere()
