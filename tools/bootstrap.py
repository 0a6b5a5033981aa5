"""Set the project up on this machine, or see at once that it is set up already.

`python3 tools/bootstrap.py` makes `.venv` from the hashed lock, builds the front end, compiles the
catalogues and writes the command `anze`. Each step leaves a stamp with the hash of its inputs in
`var/stamps`, so a second run does nothing, needs no network and takes a fraction of a second.
`--dev` adds the tools of development and makes sure that a browser and a Chinese font are there.

Standard library only. Every failure is one sentence that names the remedy.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
FRONTEND = ROOT / "frontend"
DIST = ROOT / "anze" / "web" / "static" / "dist"
STAMPS = ROOT / "var" / "stamps"
LOG = ROOT / "var" / "log" / "bootstrap.log"

OLDEST_PYTHON = (3, 11)
NEWEST_PYTHON = (3, 14)
OLDEST_NODE = 20
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BROWSER_PACKAGES = ("chromium", "fonts-noto-cjk")


class SetupError(Exception):
    """The set-up cannot go on; the text is one sentence for the person at the keyboard."""


# ---------------------------------------------------------------------------------------------- progress


class Progress:
    """One line a step: a moving mark on a terminal, plain lines elsewhere."""

    def __init__(self) -> None:
        self.live = sys.stderr.isatty() and os.environ.get("TERM") != "dumb" and "CI" not in os.environ
        self._running: dict[str, float] = {}
        self._guard = threading.Lock()
        self._stop = threading.Event()
        self._painter: threading.Thread | None = None

    def say(self, text: str) -> None:
        with self._guard:
            self._wipe()
            print(text, file=sys.stderr, flush=True)

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        started = time.monotonic()
        with self._guard:
            self._running[title] = started
            if not self.live:
                print(f"  … {title}", file=sys.stderr, flush=True)
        if self.live and self._painter is None:
            self._painter = threading.Thread(target=self._paint, daemon=True)
            self._painter.start()
        try:
            yield
        except BaseException:
            with self._guard:
                self._running.pop(title, None)
            raise
        with self._guard:
            self._running.pop(title, None)
        mark = "\033[32m✓\033[0m" if self.live else "✓"
        self.say(f"  {mark} {title} ({time.monotonic() - started:.1f} s)")

    def close(self) -> None:
        self._stop.set()
        if self._painter:
            self._painter.join(timeout=1)
        with self._guard:
            self._wipe()

    def _wipe(self) -> None:
        if self.live:
            print("\r\033[K", end="", file=sys.stderr, flush=True)

    def _paint(self) -> None:
        tick = 0
        while not self._stop.wait(0.1):
            with self._guard:
                if not self._running:
                    continue
                now = time.monotonic()
                names = " · ".join(f"{name} {now - since:.0f} s" for name, since in self._running.items())
                width = shutil.get_terminal_size().columns
                print(
                    f"\r\033[K  {'⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏'[tick % 10]} {names}"[: width + 4],
                    end="",
                    file=sys.stderr,
                    flush=True,
                )
            tick += 1


PROGRESS = Progress()


# ------------------------------------------------------------------------------------- commands and stamps


def run(
    command: Sequence[str | Path],
    *,
    otherwise: str,
    cwd: Path = ROOT,
    env: Mapping[str, str] | None = None,
) -> str:
    """Run a command and return what it printed; raise `SetupError(otherwise)` if it fails.

    Its whole output is kept in `var/log/bootstrap.log`; the last telling line goes into the error.
    """
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words,
            cwd=cwd,
            env=dict(os.environ if env is None else env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise SetupError(f"{otherwise} ({words[0]}: {error.strerror})") from error
    with LOG.open("a", encoding="utf-8") as log:
        log.write(f"$ {' '.join(words)}\n{done.stdout}\n[exit {done.returncode}]\n\n")
    if done.returncode:
        lines = [line.strip() for line in done.stdout.splitlines() if line.strip()]
        telling = [line for line in lines if re.search(r"(?i)error|fail|not found|denied|no space", line)]
        last = (telling or lines or [f"exit status {done.returncode}"])[-1][:300]
        raise SetupError(f"{otherwise} ({Path(words[0]).name} said: {last}; all of it: {LOG.relative_to(ROOT)})")
    return done.stdout


def fingerprint(paths: Iterable[Path], *words: str) -> str:
    """Hash of the named files' names and contents, and of the words."""
    digest = hashlib.sha256("\0".join(words).encode())
    for path in sorted(paths):
        digest.update(f"\0{path.relative_to(ROOT)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def stamp(name: str) -> str:
    """The fingerprint left by the last complete run of this step, or nothing."""
    try:
        return (STAMPS / name).read_text(encoding="ascii").strip()
    except OSError:
        return ""


def set_stamp(name: str, value: str) -> None:
    path = STAMPS / name
    fresh = path.with_suffix(f".{os.getpid()}")
    fresh.write_text(value + "\n", encoding="ascii")
    fresh.replace(path)


def forget_stamp(name: str) -> None:
    (STAMPS / name).unlink(missing_ok=True)


# -------------------------------------------------------------------------------------------------- Python


def check_python() -> None:
    """Go on with a Python that the locks were made for, if need be another one on this machine."""
    if OLDEST_PYTHON <= sys.version_info[:2] <= NEWEST_PYTHON:
        return
    for minor in range(OLDEST_PYTHON[1], NEWEST_PYTHON[1] + 1):
        other = shutil.which(f"python3.{minor}")
        if other and os.environ.get("ANZE_BOOTSTRAP_AGAIN") != "1":
            os.environ["ANZE_BOOTSTRAP_AGAIN"] = "1"
            os.execv(other, [other, *sys.argv])  # noqa: S606 - the same script, by another interpreter
    raise SetupError(
        f"Anze needs Python 3.{OLDEST_PYTHON[1]} to 3.{NEWEST_PYTHON[1]}, but this is "
        f"{platform.python_version()}: install python3.{OLDEST_PYTHON[1]} and run this again."
    )


def make_venv() -> None:
    """Create `.venv`, or create it anew when its interpreter is gone or of another version."""
    version = ".".join(map(str, sys.version_info[:2]))
    if VENV_PYTHON.exists():
        probe = subprocess.run(
            [VENV_PYTHON, "-c", "import sys, pip; print('.'.join(map(str, sys.version_info[:2])))"],
            capture_output=True,
            text=True,
            check=False,
        )
        # A moved checkout keeps working interpreters but scripts that point to the old place.
        home = (VENV / "bin" / "activate").read_text(encoding="utf-8") if probe.returncode == 0 else ""
        if probe.returncode == 0 and str(VENV) in home:
            return
        PROGRESS.say("  The virtual environment is from another place or Python; it is made anew.")
    for name in ("python", "node-wheel"):
        forget_stamp(name)
    if VENV.exists():
        shutil.rmtree(VENV)
    with PROGRESS.step(f"Virtual environment (Python {version})"):
        if importlib.util.find_spec("ensurepip") and importlib.util.find_spec("venv"):
            run(
                [sys.executable, "-m", "venv", VENV],
                otherwise="The virtual environment could not be created: check that the folder is writable.",
            )
        elif importlib.util.find_spec("virtualenv"):
            run(
                [sys.executable, "-m", "virtualenv", "--quiet", VENV],
                otherwise="The virtual environment could not be created with virtualenv.",
            )
        else:
            raise SetupError(
                f"This Python has no ensurepip: run `apt-get install python{version}-venv` "
                "(or `pip install --user virtualenv`) and run this again."
            )


def package_environment() -> dict[str, str]:
    """Environment for uv that respects what pip is told about indexes, certificates and patience."""
    env = dict(os.environ)
    env.pop("VIRTUAL_ENV", None)
    listed = subprocess.run(
        [VENV_PYTHON, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    ).stdout
    told = {
        match["key"].rsplit(".", 1)[-1]: match["value"]
        for match in re.finditer(r"^(?P<key>\S+?)='(?P<value>.*)'$", listed, re.MULTILINE)
    }
    if "index-url" in told:
        env.setdefault("UV_DEFAULT_INDEX", told["index-url"])
    if "cert" in told:
        env.setdefault("SSL_CERT_FILE", told["cert"])
    env.setdefault("UV_HTTP_TIMEOUT", "120")
    # The cache is often on another file system, where hard links fail with a warning.
    env.setdefault("UV_LINK_MODE", "copy" if os.environ.get("CI") else "hardlink")
    return env


def install_python(*, dev: bool, with_node: bool) -> None:
    """Make `.venv` hold exactly the locked packages."""
    locks = [ROOT / ("requirements-dev.lock" if dev else "requirements.lock"), ROOT / "requirements-uv.lock"]
    if with_node:
        locks.append(ROOT / "requirements-node.lock")
    wanted = ("dev " if dev else "run ") + fingerprint(locks, platform.machine(), str(sys.version_info[:2]))
    if stamp("python") == wanted and VENV_PYTHON.exists():
        return
    forget_stamp("python")
    remedy = (
        "The Python packages could not be installed: check the network and pip's index settings, then run this again."
    )
    with PROGRESS.step("Python packages for development" if dev else "Python packages"):
        pip: list[str | Path] = [VENV_PYTHON, "-m", "pip", "install", "--quiet", "--require-hashes"]
        pip.append("--disable-pip-version-check")
        try:
            run([*pip, "--requirement", ROOT / "requirements-uv.lock"], otherwise=remedy)
            run(
                [VENV / "bin" / "uv", "pip", "sync", "--python", VENV_PYTHON, "--require-hashes", *locks],
                otherwise=remedy,
                env=package_environment(),
            )
        except SetupError:
            # One way around whatever uv stumbled over: an index that wants pip's settings, an odd platform.
            run([*pip, *(word for lock in locks for word in ("--requirement", lock))], otherwise=remedy)
    set_stamp("python", wanted)


def write_command() -> None:
    """`.venv/bin/anze`, which works from any folder."""
    script = VENV / "bin" / "anze"
    text = (
        f"#!/bin/sh\n'''exec' \"{VENV_PYTHON}\" \"$0\" \"$@\"\n' '''\n"  # a path with spaces or of any length
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from manage import main; sys.exit(main())\n"
    )
    if not script.exists() or script.read_text(encoding="utf-8") != text:
        script.write_text(text, encoding="utf-8")
        script.chmod(0o755)


# ----------------------------------------------------------------------------------------------- front end


def node_version(node: str) -> int:
    """Major version of a Node executable, 0 if it does not run."""
    try:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    except OSError:
        return 0
    found = re.match(r"v(\d+)\.", said)
    return int(found[1]) if found else 0


def system_node() -> Path | None:
    """Folder of this machine's own node and npm, when both are there and recent enough."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and not Path(node).is_relative_to(VENV) and node_version(node) >= OLDEST_NODE:
        return Path(node).parent
    return None


def frontend_sources() -> list[Path]:
    return [
        path
        for path in FRONTEND.rglob("*")
        if path.is_file() and "node_modules" not in path.relative_to(FRONTEND).parts
    ]


def frontend_is_fresh() -> bool:
    return (
        (FRONTEND / "node_modules").is_dir()
        and DIST.is_dir()
        and stamp("frontend") == fingerprint(frontend_sources(), platform.machine())
    )


def build_frontend(folder: Path | None) -> None:
    """Install the locked front-end packages and bundle them into the static folder."""
    wanted = fingerprint(frontend_sources(), platform.machine())
    locked = fingerprint(
        [FRONTEND / "package-lock.json", FRONTEND / "package.json", FRONTEND / ".npmrc"], platform.machine()
    )
    tools = folder or VENV / "bin"
    env = dict(os.environ, PATH=os.pathsep.join([str(tools), os.environ.get("PATH", os.defpath)]))
    if stamp("npm") != locked or not (FRONTEND / "node_modules").is_dir():
        forget_stamp("npm")
        with PROGRESS.step("Front-end packages and embedded PostgreSQL"):
            run(
                [tools / "npm", "ci"],
                cwd=FRONTEND,
                env=env,
                otherwise="The front-end packages could not be installed: check the network and npm's "
                "registry setting, then run this again.",
            )
        set_stamp("npm", locked)
    if stamp("frontend") != wanted or not DIST.is_dir():
        forget_stamp("frontend")
        with PROGRESS.step("Front end"):
            run(
                [tools / "node", "build.mjs"],
                cwd=FRONTEND,
                env=env,
                otherwise="The front end could not be built: correct what it names and run this again.",
            )
        set_stamp("frontend", wanted)


# ---------------------------------------------------------------------------------------------- catalogues


def compile_catalogues() -> None:
    """Compile each room's `django.po`, when one of them changed."""
    catalogues = sorted((ROOT / "anze").glob("*/locale/*/LC_MESSAGES/*.po"))
    wanted = fingerprint(catalogues)
    if stamp("catalogues") == wanted and all(path.with_suffix(".mo").exists() for path in catalogues):
        return
    with PROGRESS.step(f"Translations ({len(catalogues)} catalogues)"):
        run(
            [VENV_PYTHON, ROOT / "tools" / "catalogues.py", *catalogues],
            otherwise="A catalogue could not be compiled: correct the entry it names.",
        )
    set_stamp("catalogues", wanted)


# ------------------------------------------------------------------------------------------------- browser


def browser() -> str | None:
    named = os.environ.get("ANZE_CHROMIUM")
    if named:
        return shutil.which(named)
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


def chinese_font() -> bool:
    """Whether this machine can draw Chinese without the fonts that the pages bring along."""
    if shutil.which("fc-list"):
        said = subprocess.run(["fc-list", ":lang=zh"], capture_output=True, text=True, check=False).stdout
        return bool(said.strip())
    return any(Path("/usr/share/fonts").glob("**/*CJK*"))


def ensure_browser() -> None:
    """Chromium and a Chinese font for the browser tests; installed here only where that is allowed."""
    if browser() and chinese_font():
        return
    become: list[str] | None = None
    if shutil.which("apt-get"):
        if os.geteuid() == 0:
            become = []
        elif (
            shutil.which("sudo")
            and not subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode
        ):
            become = ["sudo", "-n"]
    advice = f"run `apt-get install --no-install-recommends {' '.join(BROWSER_PACKAGES)}` as root"
    if become is not None:
        env = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
        with PROGRESS.step("Chromium and Chinese fonts"):
            run(
                [*become, "apt-get", "update"],
                env=env,
                otherwise=f"The package lists could not be read: {advice}.",
            )
            run(
                [*become, "apt-get", "install", "-y", "--no-install-recommends", *BROWSER_PACKAGES],
                env=env,
                otherwise=f"Chromium could not be installed: {advice}.",
            )
        if browser() and chinese_font():
            return
    missing = " and ".join(
        name for name, there in (("Chromium", browser()), ("a Chinese font", chinese_font())) if not there
    )
    sentence = f"The browser tests need {missing}: {advice} (elsewhere: install Chromium and Noto Sans CJK)."
    if os.environ.get("CI"):
        raise SetupError(sentence)
    PROGRESS.say(f"  ! {sentence} Until then they are skipped.")


# ---------------------------------------------------------------------------------------------------- main


@contextmanager
def only_one() -> Iterator[None]:
    """Let a second set-up of the same checkout wait for the first."""
    with (STAMPS / "bootstrap.lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            PROGRESS.say("  Waiting for another set-up of this folder to end …")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def together(*tasks: Callable[[], None]) -> None:
    """Run tasks side by side (one waits for the network, one for the disk); raise the first failure."""
    with ThreadPoolExecutor(len(tasks)) as pool:
        for future in [pool.submit(task) for task in tasks]:
            future.result()


def set_up(*, dev: bool) -> None:
    check_python()
    # Going back to fewer packages would only make the next test run slow.
    dev = dev or stamp("python").startswith("dev ")
    fresh = not (FRONTEND / "package.json").exists() or frontend_is_fresh()
    folder = system_node()
    had_node_wheel = stamp("node-wheel") == "yes"
    needs_node_wheel = had_node_wheel or (folder is None and not fresh)
    if needs_node_wheel and not had_node_wheel:
        PROGRESS.say(f"  There is no Node {OLDEST_NODE} or newer with npm here; one is put into .venv.")
    make_venv()
    if fresh:
        install_python(dev=dev, with_node=needs_node_wheel)
    elif folder:
        together(lambda: install_python(dev=dev, with_node=needs_node_wheel), lambda: build_frontend(folder))
    else:
        install_python(dev=dev, with_node=True)
        set_stamp("node-wheel", "yes")
        build_frontend(None)
    compile_catalogues()
    write_command()
    if dev:
        ensure_browser()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Set Anze up on this machine.")
    parser.add_argument("--dev", action="store_true", help="also what development and the tests need")
    options = parser.parse_args(arguments)
    try:
        for folder in (STAMPS, LOG.parent):
            folder.mkdir(parents=True, exist_ok=True)
        if LOG.exists() and LOG.stat().st_size > 5_000_000:
            LOG.unlink()
        with only_one():
            set_up(dev=options.dev)
    except SetupError as error:
        PROGRESS.close()
        print(f"\n{error}", file=sys.stderr)
        return 1
    except PermissionError as error:
        PROGRESS.close()
        print(
            f"\nThis folder is not writable for you ({error.filename}): use a copy that you own.",
            file=sys.stderr,
        )
        return 1
    except OSError as error:
        PROGRESS.close()
        print(f"\nThe set-up stopped: {error}. Free what it names and run this again.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        PROGRESS.close()
        print("\nStopped. Run it again to go on where it was.", file=sys.stderr)
        return 130
    PROGRESS.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
