"""Makes .venv/ beside this file from requirements.lock; does nothing when the lock has not changed."""

import compileall
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
LOCK = HERE / "requirements.lock"
ENVIRONMENT = HERE / ".venv"
INSTALLED = ENVIRONMENT / "installed.lock"
PYTHON = ENVIRONMENT / "bin" / "python"
INTERPRETER = f"# {sys.version}\n"


def main() -> int:
    """Build what is not there or not current; the exit status is 1 when that fails."""
    if sys.version_info < (3, 11):  # noqa: UP036  (this file may meet any Python)
        return refuse(f"Python 3.11 or newer is needed, and this is {sys.version.split()[0]}")
    wanted = INTERPRETER + LOCK.read_text()
    if not (PYTHON.exists() and INSTALLED.exists() and INSTALLED.read_text() == wanted):
        try:
            venv.create(ENVIRONMENT, clear=True, with_pip=True)
            pip = [str(PYTHON), "-m", "pip", "--quiet", "--disable-pip-version-check"]
            subprocess.run([*pip, "install", "--require-hashes", "-r", str(LOCK)], check=True)
        except subprocess.CalledProcessError as failure:
            return refuse(
                f"{failure}; its own words are above (on Debian, venv needs: apt-get install python3-venv)"
            )
        INSTALLED.write_text(wanted)
    # Compiling at the first run would be counted as the runtime's memory.
    return 0 if compileall.compile_dir(HERE / "agentloop", quiet=1) else 1


def refuse(reason: str) -> int:
    """Say in one line why there is no build."""
    print(f"build.py: {reason}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
