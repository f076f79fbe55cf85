"""Facts that rules read from templates; nothing in this folder reports a finding by itself."""
