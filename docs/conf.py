"""The documentation: MyST pages in this folder, and a reference that is made from the code when it is built.

Build it with ``sphinx-build -W -b html docs docs/_build`` in an environment with the extra ``docs``.
"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import reference_pages  # noqa: E402 - it stands beside this file

from pytest_stsguard import __version__  # noqa: E402 - as above

project = "pytest-stsguard"
author = "pytest-stsguard contributors"
project_copyright = "pytest-stsguard contributors"
release = version = __version__

extensions = ["myst_parser"]
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "pytest-stsguard"
html_static_path: list[str] = []
nitpicky = True
suppress_warnings = ["toc.empty_glob"]  # a page of the tree may still be on its way

reference_pages.write(HERE / "reference" / "generated")
