import json

from typer.testing import CliRunner

from bots import cli


def test_what_it_costs_is_measured_and_the_own_database_is_left_alone(monkeypatch, tmp_path):
    monkeypatch.setenv("BIJDEHAND_MODEL", "fake")
    monkeypatch.setenv("BIJDEHAND_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("BIJDEHAND_DATA", str(tmp_path / "data"))
    result = CliRunner().invoke(cli.app, ["bench", "--articles", "30", "--no-torch", "--json"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    alone, whole = found["A question, starter knowledge"]
    assert whole["than"] == alone["name"]
    assert whole["ratio"] == whole["p50"] / alone["p50"]
    assert 0 < whole["p50"] <= whole["p95"]
    assert {"search alone", "the index made"} <= {one["name"] for one in found["Search, 30 made-up articles"]}
    assert [one["name"] for one in found["From nothing"]] == ["bijdehand --help", "bijdehand ask"]
    assert not (tmp_path / "data" / "bijdehand.db").exists()
