"""Beginning a project: its files can be read at once, and none that is there is touched."""

from pathlib import Path

import pytest

from headrace.base.errors import ConfigurationError
from headrace.projects.documents import parse_document
from headrace.projects.project_files import open_project
from headrace.projects.recipes import Begun, init_project, quote
from headrace.projects.steps.naming import PREFIX
from tests.unit.outbound.repositories import git, make_repository


def test_a_project_begins_where_it_is(tmp_path: Path) -> None:
    recipe, files = init_project(tmp_path, fields={})
    assert (recipe, files) == ("local", [Begun("headrace.yaml", True), Begun(".headraceignore", True)])
    project = open_project(tmp_path)
    assert project.document.value["name"] == tmp_path.name
    assert project.pull == [{f"{PREFIX}set_working_directory": {"directory": str(tmp_path)}}]
    assert (project.drafts, project.notes) == ([], [])
    assert ".venv/" in (tmp_path / ".headraceignore").read_text().splitlines()


def test_what_is_there_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "headrace.yaml").write_text("name: mine\n")
    _, files = init_project(tmp_path, fields={}, older=True)
    assert [(file.name, file.written) for file in files] == [
        ("headrace.yaml", False),
        ("deployment.yaml", True),
        (".headraceignore", True),
        (".headrace/", True),
    ]
    assert (tmp_path / "headrace.yaml").read_text() == "name: mine\n"
    assert (tmp_path / ".headrace").is_dir()
    assert not any(file.written for file in init_project(tmp_path, fields={}, older=True)[1])
    (waiting,) = open_project(tmp_path).drafts
    assert waiting.name is None


def test_a_clone_begins_with_its_origin(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "flows.git", {"flow.py": ""})
    git(tmp_path, "clone", "--quiet", str(repository), "clone")
    recipe, _ = init_project(tmp_path / "clone", fields={})
    assert recipe == "git"
    assert open_project(tmp_path / "clone").pull == [
        {f"{PREFIX}git_clone": {"repository": str(repository), "branch": "main"}}
    ]


def test_a_token_in_the_origin_is_not_written_down(tmp_path: Path) -> None:
    init_project(tmp_path, recipe="git", fields={"repository": "https://ann:s3cret@example.com/x.git"})
    text = (tmp_path / "headrace.yaml").read_text()
    assert "s3cret" not in text
    assert "https://example.com/x.git" in text


@pytest.mark.parametrize(
    ("recipe", "fields", "message"),
    [
        ("gti", {}, "There is no recipe 'gti'; did you mean 'git'?"),
        ("docker-s3", {}, "There is no recipe 'docker-s3'; there are local, git."),
        ("local", {"branch": "x"}, "Recipe local has no field 'branch'; it has directory."),
        ("git", {}, "Recipe git needs its field 'repository': add --field repository=…."),
    ],
)
def test_what_there_is_not_is_told(recipe: str, fields: dict[str, str], message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        init_project(tmp_path, recipe=recipe, fields=fields)
    assert str(refusal.value) == message
    assert [*tmp_path.iterdir()] == []


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be written: No such file or directory"):
        init_project(tmp_path / "none", fields={})


@pytest.mark.parametrize(
    "text", ["plain", "a b", "yes", "1.0", 'say "hi"', "ä: ö", "#x", "{{ $A }}", "-x", "https://x/y"]
)
def test_any_name_can_be_written(text: str) -> None:
    assert parse_document(f"name: {quote(text)}\n", Path("x"), "x").value == {"name": text}
