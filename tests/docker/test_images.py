"""The container files, as far as they can be checked where no engine runs."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DOCKER = ROOT / "docker"
COMPOSE = yaml.safe_load((DOCKER / "compose.yaml").read_text("utf-8"))
SERVICES = COMPOSE["services"]
DOCKERFILES = sorted(DOCKER.glob("*/Dockerfile"))
ENVIRONMENT = {"ONEMAP_DB_PASSWORD": "x1", "ONEMAP_HOSTNAME": "map.example.cn"}


def nginx_is_new() -> bool:
    if not shutil.which("nginx"):
        return False
    said = subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=True).stderr
    return tuple(int(part) for part in re.findall(r"\d+", said)[:2]) >= (1, 25)


def compose_is_here() -> bool:
    command = ["docker", "compose", "version"]
    return bool(shutil.which("docker")) and subprocess.run(command, capture_output=True, check=False).returncode == 0


def instructions(dockerfile: Path) -> list[tuple[str, str]]:
    """(INSTRUCTION, arguments) of a Dockerfile, continued lines joined."""
    text = re.sub(r"^\s*#.*\n", "", dockerfile.read_text("utf-8"), flags=re.MULTILINE).replace("\\\n", " ")
    return [tuple(line.split(maxsplit=1)) for line in text.splitlines() if line.strip()]  # type: ignore[misc]


@pytest.fixture(params=DOCKERFILES, ids=lambda path: path.parent.name)
def dockerfile(request) -> list[tuple[str, str]]:
    return instructions(request.param)


def test_there_is_a_database_a_server_a_worker_and_a_proxy():
    assert set(SERVICES) == {"db", "server", "worker", "proxy"}
    assert [path.parent.name for path in DOCKERFILES] == ["db", "proxy", "server"], "the worker is the server's image"


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_can_do_no_more_than_it_must(name):
    service = SERVICES[name]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert "privileged" not in service


def test_only_the_proxy_is_reached_from_outside():
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]
    assert COMPOSE["networks"]["inside"]["internal"]
    assert all(service["networks"] == ["inside"] for name, service in SERVICES.items() if name != "proxy")


def test_every_named_volume_is_declared_and_used():
    used = {volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])}
    assert used == set(COMPOSE["volumes"])


def test_no_secret_stands_in_a_file_and_nothing_starts_without_one():
    text = (DOCKER / "compose.yaml").read_text("utf-8")
    secrets = re.findall(r"\$\{ONEMAP_DB_PASSWORD(.*?)\}", text)
    assert secrets
    assert all(re.fullmatch(r":\?[A-Z].+\.", rest) for rest in secrets), "each says in a sentence what is missing"
    assert re.findall(r"\$\{ONEMAP_HOSTNAME(?!:\?)", text) == []
    for line in (DOCKER / "example.env").read_text("utf-8").splitlines():
        assert not re.match(r"\w*(PASSWORD|SECRET|TOKEN|KEY)\w*=.+", line), line


def test_every_variable_of_the_compose_file_is_explained_in_the_example():
    named = set(re.findall(r"\$\{(\w+)", (DOCKER / "compose.yaml").read_text("utf-8")))
    example = (DOCKER / "example.env").read_text("utf-8")
    assert [name for name in sorted(named) if name not in example] == []


def test_an_image_does_not_run_as_root_and_says_how_it_is(dockerfile):
    users = [rest for what, rest in dockerfile if what == "USER"]
    assert users
    assert users[-1] not in ("root", "0")
    assert any(what == "HEALTHCHECK" for what, _ in dockerfile)


def test_an_image_stands_on_a_named_release(dockerfile):
    for base in (rest.split()[0] for what, rest in dockerfile if what == "FROM"):
        assert re.search(r":.*trixie", base), f"{base} names no release"
        assert "/" not in base.split(":")[0], f"{base} names a registry"


def test_an_image_keeps_no_package_lists_and_no_secrets(dockerfile):
    for what, rest in dockerfile:
        if what == "RUN" and "apt-get install" in rest:
            assert "--no-install-recommends" in rest
            assert "rm -rf /var/lib/apt/lists/*" in rest
        assert not (what in ("ENV", "ARG") and re.search(r"PASSWORD|SECRET|TOKEN", rest))


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.parent.name)
def test_what_an_image_copies_is_in_the_clone_and_not_ignored(path):
    allowed = [
        line[1:] for line in path.with_name("Dockerfile.dockerignore").read_text().splitlines() if line[:1] == "!"
    ]
    for what, rest in instructions(path):
        if what != "COPY" or "--from=" in rest:
            continue
        *sources, _ = (word for word in rest.split() if not word.startswith("--"))
        for source in sources:
            assert (ROOT / source).exists(), f"{source} is not in the clone"
            assert any(source == each or source.startswith(f"{each}/") for each in allowed), f"{source} is ignored"


def test_the_server_image_carries_no_compiler_of_dashboards():
    stages = [rest for what, rest in instructions(DOCKER / "server" / "Dockerfile") if what == "FROM"]
    assert len(stages) == 3
    assert "node" not in stages[-1]


def test_the_proxy_speaks_tls_and_sends_everybody_there():
    conf = (DOCKER / "proxy" / "nginx.conf").read_text("utf-8")
    assert "listen 8443 ssl" in conf
    assert "ssl_protocols TLSv1.2 TLSv1.3;" in conf
    assert re.search(r"listen 8080;\s+return 301 https://", conf)
    assert conf.count("{") == conf.count("}")
    assert f"server {'server'}:8000;" in conf, "the name and port of the compose service"


@pytest.mark.parametrize("script", sorted(DOCKER.rglob("*.sh")), ids=lambda path: path.name)
def test_a_script_can_be_read_by_its_shell(script):
    subprocess.run(["sh", "-n", str(script)], check=True)
    assert script.stat().st_mode & 0o111


@pytest.mark.skipif(not nginx_is_new(), reason="no nginx 1.25 or newer is installed here")
def test_nginx_understands_its_configuration(tmp_path):
    conf = (DOCKER / "proxy" / "nginx.conf").read_text("utf-8").replace("server:8000", "127.0.0.1:8000")
    command = "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=x -keyout tls.key -out tls.crt"
    subprocess.run(command.split(), cwd=tmp_path, check=True, capture_output=True)
    here = tmp_path / "nginx.conf"
    here.write_text(conf.replace("/certificates", str(tmp_path)).replace("/tmp/", f"{tmp_path}/"))
    done = subprocess.run(["nginx", "-t", "-c", str(here)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not compose_is_here(), reason="docker compose is not installed here")
@pytest.mark.parametrize("missing", [None, "ONEMAP_DB_PASSWORD", "ONEMAP_HOSTNAME"])
def test_compose_reads_the_file_and_refuses_it_without_the_secrets(missing):
    given = {name: value for name, value in ENVIRONMENT.items() if name != missing}
    command = ["docker", "compose", "--env-file", "/dev/null", "-f", str(DOCKER / "compose.yaml"), "config", "--quiet"]
    done = subprocess.run(
        command, env={"PATH": "/usr/bin:/usr/local/bin", **given}, capture_output=True, text=True, check=False
    )
    assert (done.returncode == 0) == (missing is None), done.stderr
    assert missing is None or missing in done.stderr
