"""What the process that others are forked off has in its memory: all that commands and servers import."""

import gc
import importlib
import pkgutil

import ordre.cli
import ordre.db.migrations
import ordre.server

for _folder in (ordre.cli, ordre.db.migrations):
    for _module in pkgutil.iter_modules(_folder.__path__, f"{_folder.__name__}."):
        importlib.import_module(_module.name)
for _name in ("ordre.api.http.connection", "uvicorn.lifespan.on", "uvicorn.loops.uvloop"):  # uvicorn imports these by their names
    importlib.import_module(_name)
gc.collect()
gc.freeze()  # the collector does not look through what was there before the fork, and copies none of it
