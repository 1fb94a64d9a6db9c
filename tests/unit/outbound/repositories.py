"""Repositories for tests, made on the spot."""

import os
import subprocess
from pathlib import Path

IDENTITY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Ann"), ("EMAIL", "ann@example.com"))
}


def git(folder: Path, *arguments: str) -> str:
    """What a git command says."""
    environ = {**os.environ, **IDENTITY, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    ran = subprocess.run(["git", *arguments], cwd=folder, env=environ, capture_output=True, text=True, check=True)
    return ran.stdout.strip()


def make_repository(folder: Path, files: dict[str, str]) -> Path:
    """A bare repository with one commit, on the branch main. What `commit` changes goes through the tree beside it."""
    tree = folder.with_suffix(".tree")
    tree.mkdir(parents=True)
    git(tree, "init", "--quiet", "--initial-branch", "main")
    git(tree.parent, "init", "--quiet", "--bare", "--initial-branch", "main", str(folder))
    git(tree, "remote", "add", "origin", str(folder))
    commit(folder, files)
    return folder


def commit(repository: Path, files: dict[str, str], branch: str = "main") -> str:
    """Commit files and push them; the commit."""
    tree = repository.with_suffix(".tree")
    if branch != "main":
        git(tree, "checkout", "--quiet", "-B", branch)
    for name, text in files.items():
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    git(tree, "add", "--all")
    git(tree, "commit", "--quiet", "--message", "Change files")
    git(tree, "push", "--quiet", "origin", branch)
    return git(tree, "rev-parse", "HEAD")
