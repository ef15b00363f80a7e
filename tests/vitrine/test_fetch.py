"""`vitrine fetch` through the console command, from a server on the loopback."""

from __future__ import annotations

import functools
import http.server
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[str]:
    """A mirror of MovieLens with two ratings."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    with zipfile.ZipFile(folder / "ml-latest-small.zip", "w") as archive:
        archive.writestr(
            "ml-latest-small/ratings.csv", "userId,movieId,rating,timestamp\n1,1,4,964982703\n2,1,3,964982704\n"
        )
        archive.writestr("ml-latest-small/movies.csv", "movieId,title,genres\n1,Toy Story (1995),Comedy\n")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_a_data_set_is_fetched_unpacked_and_imported(run, mirror):
    name = "movielens/ml-latest-small"
    line = run("fetch", name, "--from", mirror).line
    assert "MovieLens terms of use" in line and "add --accept-licence" in line and not Path("data").exists()
    shown = run("fetch", name, "--from", mirror, "--dry-run")
    assert f"from {mirror}/ml-latest-small.zip, about 1 MB" in shown.out and not Path("data").exists()
    *_, next_line, then_line = shown.out.splitlines()
    assert next_line == f"next: vitrine fetch {name} --from {mirror} --accept-licence"
    assert then_line == "then: vitrine import movielens data/movielens-ml-latest-small/ml-latest-small"
    ran = run("fetch", name, "--from", mirror, "--accept-licence")
    assert ran.code == 0 and "Research use with acknowledgement" in ran.out
    assert ran.out.splitlines()[-1] == "next: vitrine import movielens data/movielens-ml-latest-small/ml-latest-small"
    assert run(*ran.out.splitlines()[-1].split()[2:], "--store", "s").out.startswith(
        "ml-latest-small: 1 items, 2 inter"
    )
    assert "here already" in run("fetch", name, "--from", mirror).out
    ratings = Path("data/movielens-ml-latest-small/ml-latest-small/ratings.csv")
    whole = ratings.read_bytes()
    ratings.write_bytes(whole[:40])
    ran = run("fetch", name, "--from", mirror)
    assert ran.code == 0 and "unpacked again, not as in the archive: ratings.csv" in ran.out
    assert ratings.read_bytes() == whole


def test_what_is_brought_by_hand_says_so_in_a_dry_run_too(run):
    shown = run("fetch", "mmrec/baby", "--dry-run").out.splitlines()
    assert shown[-2].startswith("next: open https://drive.google.com") and shown[-2].endswith("into data/mmrec-baby")
    assert shown[-1] == "then: vitrine import mmrec data/mmrec-baby" and not Path("data").exists()


def test_the_known_data_sets_are_listed(run):
    listed = run("fetch").out
    assert "amazon-2023/Baby_Products" in listed and "mmrec/baby" in listed and "(by hand)" in listed


BAD = {
    "unknown": (["movielens/ml-1"], "Did you mean 'movielens/ml-1m'"),
    "by hand": (["mmrec/baby", "--accept-licence"], "cannot be fetched by a program: open https://drive.google.com"),
    "no address": (["movielens/ml-1m", "--from", "mirror", "--accept-licence"], "is not http(s)://host/path"),
}


@pytest.mark.parametrize(("options", "said"), BAD.values(), ids=BAD)
def test_what_cannot_be_fetched_is_one_line(run, options, said):
    assert said in run("fetch", *options).line and not Path("data").exists()


def test_a_file_that_is_not_there_is_one_line(run, mirror):
    line = run("fetch", "movielens/ml-1m", "--from", mirror, "--accept-licence").line
    assert line.endswith("ml-1m.zip: the server answers 404 File not found")
