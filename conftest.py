"""Nothing here may need a test extra: `pytest checks` must run without any."""

pytest_plugins = ["pytester"]
