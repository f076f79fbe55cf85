"""Facts that rules read from templates; a module of this folder imports other facts and no rule."""
