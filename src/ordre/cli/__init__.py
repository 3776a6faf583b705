"""The command `ordre`: one module a noun, loaded when `main` is asked for it."""
