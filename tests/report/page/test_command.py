"""`agentdyno report`, of an experiment that was really made."""

import json
import shutil
import struct
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from report.page.synthetic import experiment, row

PNG = b"\x89PNG\r\n\x1a\n"


def report(*arguments: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "agentdyno", "report", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_the_page_lies_beside_the_summary_and_says_which_run_its_figures_are_of(
    measured: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(measured, tmp_path / "copy")
    (run,) = (folder / "runs").glob("001-*")
    done = report(folder, "--run", run.name)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{folder}/report.html\n", "")
    page = (folder / "report.html").read_text()
    peak = json.loads((folder / "summary.json").read_text())["rows"][0]["metrics"]["peak_rss_mib"]["median"]
    assert f'data-value="{peak}"' in page
    assert page.count("<figure ") == page.count("<svg ") > 2


def test_every_figure_is_exported_as_svg_and_png(measured: Path, tmp_path: Path) -> None:
    figures = tmp_path / "new" / "figures"
    done = report(measured, "-o", tmp_path / "page.html", "--figures", figures)
    assert (done.returncode, done.stdout) == (0, f"{tmp_path}/page.html\n")
    page = (tmp_path / "page.html").read_text()
    names = sorted(path.stem for path in figures.glob("*.svg"))
    assert len(names) == page.count("<figure ")
    assert names == sorted(path.stem for path in figures.glob("*.png"))
    for name in names:
        assert f'<figure id="{name}">' in page
        assert ElementTree.parse(figures / f"{name}.svg").getroot().tag == "{http://www.w3.org/2000/svg}svg"
        image = (figures / f"{name}.png").read_bytes()
        assert image.startswith(PNG)
        assert min(struct.unpack(">II", image[16:24])) > 50


@pytest.mark.usefixtures("starts_processes")
def test_a_summary_that_was_copied_elsewhere_is_enough(tmp_path: Path) -> None:
    experiment(tmp_path, row("rust", 1, 2, 3), row("go", 2, 4, 6))
    shutil.copy(tmp_path / "summary.json", tmp_path / "copied.json")
    done = report(tmp_path / "copied.json")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{tmp_path}/report.html\n", "")


@pytest.mark.usefixtures("starts_processes")
def test_two_reports_of_one_experiment_are_alike(tmp_path: Path) -> None:
    experiment(tmp_path, row("rust", 1, 2, 3), row("go", 2, 4, 6))
    for name in ("one.html", "other.html"):
        assert report(tmp_path, "-o", tmp_path / name).returncode == 0
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "other.html").read_bytes()


@pytest.mark.usefixtures("starts_processes")
def test_refusals(tmp_path: Path) -> None:
    done = report(tmp_path)
    assert (done.returncode, done.stderr) == (
        2,
        f"agentdyno: {tmp_path}/summary.json: no such file; name the folder of an experiment, "
        "as results/raw/TIME\n",
    )
    experiment(tmp_path, row("rust", 1, 2, 3))
    done = report(tmp_path, "-o", tmp_path / "none" / "page.html")
    assert (done.returncode, done.stderr) == (
        2,
        f"agentdyno: {tmp_path}/none/page.html: folder {tmp_path}/none does not exist; create it or choose "
        "another path\n",
    )
    done = report(tmp_path, "--figures", tmp_path / "summary.json")
    assert (done.returncode, done.stderr) == (
        2,
        f"agentdyno: --figures {tmp_path}/summary.json: no folder can be made there (File exists); choose "
        "another\n",
    )
    assert not (tmp_path / "report.html").exists()
