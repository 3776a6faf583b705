"""The command `ordre`: one module a noun, put together in `main`."""
