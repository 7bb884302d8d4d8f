"""The compliance suite: read it, copy it, add to it. Run as `pytest checks` or `pytest --pyargs pytest_stsguard.checks`."""
