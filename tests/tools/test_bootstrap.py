"""Setting the project up: a real one in a copy with an awkward path, and the sentences when it cannot be."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools import bootstrap, check_repository

# Where no package can come from: whoever asks for one fails at once.
NOWHERE = "http://127.0.0.1:9/simple"
OFFLINE = {
    "PIP_INDEX_URL": NOWHERE, "PIP_RETRIES": "0", "PIP_FIND_LINKS": "", "PIP_NO_CACHE_DIR": "1",
    "UV_DEFAULT_INDEX": NOWHERE, "UV_NO_CACHE": "1", "npm_config_registry": NOWHERE,
}  # fmt: skip


def set_up(place: Path, *options: str, **more: str) -> subprocess.CompletedProcess[str]:
    env = {key: value for key, value in os.environ.items() if key not in {"DATABASE_URL", "VIRTUAL_ENV"}}
    return subprocess.run(
        [sys._base_executable, "tools/bootstrap.py", *options],  # type: ignore[attr-defined]
        cwd=place,
        env=env | more,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what git would commit, far down, below a name with spaces and Chinese."""
    place = tmp_path_factory.mktemp("home") / "我的 文件" / ("deep" * 25) / "anze (copy)"
    for path in check_repository.tracked():
        target = place / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(check_repository.ROOT / path, target)
    return place


def programs_without_node(place: Path) -> str:
    """A PATH on which everything of this machine is found but Node."""
    place.mkdir()
    for folder in map(Path, os.environ["PATH"].split(os.pathsep)):
        for program in folder.iterdir() if folder.is_dir() else ():
            link = place / program.name
            if program.name not in {"node", "nodejs", "npm", "npx"} and not link.is_symlink():
                link.symlink_to(program)
    return str(place)


@pytest.mark.slow
def test_a_fresh_copy_is_set_up_then_left_alone_without_network(checkout: Path, tmp_path: Path) -> None:
    # with this machine's own Node, if it has one, the checkout of these tests was set up
    first = set_up(checkout, PATH=programs_without_node(tmp_path / "bin"))
    assert first.returncode == 0, first.stderr
    assert "one is put into .venv" in first.stderr
    assert (checkout / ".venv/bin/node").exists()
    dist = "anze/web/static/dist"
    for made in (".venv/bin/anze", f"{dist}/app.js", f"{dist}/charts.js", f"{dist}/map/370000.json"):
        assert (checkout / made).exists(), made
    for source in (checkout / "anze").glob("*/locale/*/LC_MESSAGES/django.po"):
        assert source.with_suffix(".mo").exists()

    second = set_up(checkout, **OFFLINE)
    assert second.returncode == 0, second.stderr
    assert second.stderr == ""  # no step was begun

    # The command works from anywhere.
    env = os.environ | {"DATABASE_URL": "postgresql://nobody:nothing@127.0.0.1:1/none"}
    said = subprocess.run(
        [checkout / ".venv/bin/anze", "version"],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stderr
    assert said.stdout.startswith("5.2")

    # What changed, and only that, is made anew.
    (checkout / "frontend/src/app.css").write_text("body { color: #123456 }\n", encoding="utf-8")
    third = set_up(checkout, **OFFLINE)
    assert third.returncode == 0, third.stderr
    assert "✓ Front end" in third.stderr
    assert "packages" not in third.stderr
    assert "#123456" in (checkout / "anze/web/static/dist/app.css").read_text(encoding="utf-8")

    (checkout / "frontend/src/app.js").write_text("this is not JavaScript\n", encoding="utf-8")
    broken = set_up(checkout, **OFFLINE)
    assert broken.returncode == 1
    assert "The front end could not be built: correct what it names" in broken.stderr
    assert "Traceback" not in broken.stderr
    # The last good one still stands.
    assert "#123456" in (checkout / "anze/web/static/dist/app.css").read_text(encoding="utf-8")


@pytest.mark.slow
def test_without_a_network_one_sentence_says_so(checkout: Path, tmp_path: Path) -> None:
    place = tmp_path / "bare"
    for path in check_repository.tracked():
        if path.startswith(("tools/", "requirements")):
            (place / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(check_repository.ROOT / path, place / path)
    done = set_up(place, **OFFLINE)
    assert done.returncode == 1
    assert "check the network and pip's index settings" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_python_without_ensurepip_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(bootstrap, "VENV", tmp_path / "venv")
    monkeypatch.setattr(bootstrap, "VENV_PYTHON", tmp_path / "venv" / "bin" / "python")
    monkeypatch.setattr(bootstrap, "STAMPS", tmp_path)
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name in {"ensurepip", "virtualenv"} else find(name)
    )
    with pytest.raises(bootstrap.SetupError, match=r"apt-get install python3\.\d+-venv"):
        bootstrap.make_venv()


def test_an_unsuitable_python_is_told_which_ones_serve(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(bootstrap.SetupError, match=r"needs Python 3\.11 to 3\.14"):
        bootstrap.check_python()


def test_a_missing_browser_is_an_error_in_ci_and_a_loud_line_elsewhere(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bootstrap, "browser", lambda: None)
    monkeypatch.setattr(bootstrap, "chinese_font", lambda: True)
    monkeypatch.setattr(shutil, "which", lambda name: None)  # neither apt-get nor sudo
    monkeypatch.setenv("CI", "true")
    with pytest.raises(bootstrap.SetupError, match="browser tests need Chromium: run `apt-get install"):
        bootstrap.ensure_browser()
    monkeypatch.delenv("CI")
    bootstrap.ensure_browser()
    assert "Until then they are skipped." in capsys.readouterr().err


@pytest.mark.parametrize("path", ["requirements.lock", "requirements-dev.lock", "frontend/package-lock.json"])
def test_locks_have_hashes_and_name_no_host(path: str) -> None:
    text = (bootstrap.ROOT / path).read_text(encoding="utf-8")
    assert "://" not in text
    assert text.count("sha256:" if path.endswith(".lock") else "sha512-") > 10
