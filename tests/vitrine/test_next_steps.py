"""What commands say of the commands after them, and of captions that nothing reads."""

import shlex
import shutil
from pathlib import Path

from vitrine.cli.next_steps import say_next


def said(capsys, *arguments, **more):
    say_next(*arguments, **more)
    return capsys.readouterr().out.splitlines()


def test_the_store_and_the_settings_that_matter_are_carried_on(capsys, tmp_path):
    pairs = ["captions.captioner=catalogue", "boutique.seed=3"]
    line, hint = said(capsys, tmp_path / "a b", pairs, "embed")
    assert shlex.split(line) == [
        "next:", "vitrine", "embed", "--set", "captions.captioner=catalogue", "--store", str(tmp_path / "a b")
    ]  # fmt: skip
    assert hint.strip() == '`captions.captioner = "catalogue"` at the top of vitrine.toml saves repeating --set'
    assert said(capsys, None, None, "index", "train", then="more") == ["next: vitrine index, then vitrine train; more"]


def test_a_command_that_names_a_setting_is_not_given_it_twice(capsys):
    line, _ = said(capsys, None, ["captions.captioner=pixels"], "caption --set captions.captioner=catalogue")
    assert line == "next: vitrine caption --set captions.captioner=catalogue"


def test_each_stage_names_the_next(life, store, run):
    last = {name: ran.out.splitlines()[-1] for name, ran in life.ran.items() if name != "eval"}
    s = "--store store"
    assert last["import"] == f"next: vitrine caption {s}, then vitrine embed {s}, then vitrine index {s}"
    assert last["caption"].startswith("next: vitrine embed --store ")
    assert last["index"] == f"next: vitrine train {s}"
    assert last["train"] == f"next: vitrine eval {s}, then vitrine serve {s}"
    assert "next:" not in run("caption", "--store", store, "--dry-run").out
    assert "next:" not in run("embed", "--store", store, "--dry-run").out


def test_captions_that_no_setting_names_are_not_passed_over_silently(run, store):
    shutil.copytree(store / "captions" / "pixels", store / "captions" / "catalogue")
    told = run("embed", "--store", store).out
    assert "captions/catalogue: not read here, since captions.captioner is 'pixels'" in told
    assert "(--set captions.captioner=catalogue)" in told
    shutil.rmtree(store / "captions" / "pixels")
    alone = run("embed", "--store", store).out
    assert "captions/catalogue: not read here" in alone and "none in the store yet" not in alone
    Path("vitrine.toml").write_text('captions.captioner = "catalogue"\n')
    chosen = run("embed", "--store", store).out
    assert "not read here" not in chosen and "embeddings/caption-catalogue-minilm" in chosen


def test_an_import_names_what_its_catalogue_needs(run, files):
    items = ("import", "table", "--items", "files/items.csv", "--store", "s")
    assert run(*items).out.splitlines()[-1] == "next: vitrine embed --store s, then vitrine index --store s"
    Path("vitrine.toml").write_text('captions.captioner = "catalogue"\n')
    pictured = run(*items, "--images", "images/{item_id}.png").out.splitlines()[-1]
    assert pictured.startswith("next: vitrine train clip --store s, then vitrine caption --store s, then vitrine embed")


def test_a_shop_without_a_log_is_not_sent_to_training(run, files):
    run("import", "table", "--items", "files/items.csv", "--store", "s")
    assert (
        run("index", "--store", "s").out.splitlines()[-1]
        == "next: vitrine chat --store s, then vitrine serve --store s"
    )
