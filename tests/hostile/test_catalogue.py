"""The attacks are complete, and say what must be seen of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hostile import catalogue, docs

PROGRAMS = catalogue.programs()


def test_there_are_a_hundred_in_four_languages() -> None:
    assert len(PROGRAMS) >= 100
    assert {program.language for program in PROGRAMS} == {"python", "c", "cpp", "sh"}


@pytest.mark.parametrize("kind", catalogue.KINDS)
def test_every_subject_is_covered(kind: str) -> None:
    covered = {
        subject for program in PROGRAMS if program.kind == kind for subject in program.header.covers
    }
    assert covered == set(catalogue.SUBJECTS[kind])


def test_every_attack_has_its_line_in_the_documentation() -> None:
    text = docs.DOCUMENT.read_text()
    made = text.split(docs.BEGIN)[1].split(docs.END)[0]
    listed = {line.rsplit("(`", 1)[1].split("`")[0] for line in made.splitlines() if "(`" in line}
    assert listed == {program.name for program in PROGRAMS}
    assert "surprise" not in made


def test_a_header_that_is_not_valid_names_its_file(tmp_path: Path) -> None:
    folder = tmp_path / "escape"
    folder.mkdir()
    for text in ("#| what = 1\n", '#| what = "x"\n#| covers = ["no such"]\n#| verdict = []\n'):
        file = folder / "bad.py"
        file.write_text(text)
        with pytest.raises(catalogue.HeaderError, match=r"bad\.py"):
            catalogue.read(file)
