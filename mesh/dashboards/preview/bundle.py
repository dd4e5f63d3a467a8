"""Vega's scripts for a page, from vl-convert: bundled once per version and kept."""

from __future__ import annotations

import contextlib
import os
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

from mesh.project import Project

SNIPPET = "window.vegaEmbed = vegaEmbed;"


@lru_cache(maxsize=8)
def vega_script(project: Project) -> str:
    """A script that sets `window.vegaEmbed`, and needs no network.

    Bundling takes seconds: the result is kept in the project's cache folder, if that can be
    written.
    """
    import vl_convert

    path = project.cache / "mesh" / f"vega-embed-{version('vl-convert-python')}.js"
    with contextlib.suppress(OSError, UnicodeDecodeError):
        text = path.read_text(encoding="utf-8")
        if text.rstrip().endswith("//end"):
            return text
    text = vl_convert.javascript_bundle(SNIPPET).replace("</script", "<\\/script") + "\n//end\n"
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(f"{path}.{os.getpid()}")
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    return text
