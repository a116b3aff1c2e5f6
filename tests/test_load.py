"""What loading a folder gives: documents with everything that was written, in order, with exact places."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

from segrules.files.documents import CaseList, DecisionTable, Matrix, Project, Scalar
from segrules.files.load import load
from segrules.files.version import satisfied
from segrules.resources import resource_folder
from segrules.syntax.expr import Compare, Literal, Name, Negative

PROJECT = """\
version: 1
requires: ~= 0.1
name: 示例
timezone: Asia/Shanghai
keywords: zh
customers: customers
tables:
  customers:
    source: data/customers.csv
    key: id
    format: {encoding: gbk, thousands: ",", strip: ["¥", "%"], missing: ["", 无]}
    duplicates: {keep: last, by: updated}
    bad_rows: quarantine
    label: 客户
    columns:
      id: text
      gender: {type: text, values: [男, 女], missing: allowed}
      income: {type: decimal(2), min: 0, max: 1e6, pii: true, clean: [trim, halfwidth]}
      updated: {type: timestamp, zone: UTC, date_format: "%Y/%m/%d"}
      tags: {type: list(text), separator: ";"}
      vip: {type: bool, yes: [是, Y, 1], no: [否]}
      ｃｉｔｙ: {type: text, refers_to: cities, unmatched: missing, label: 城市}
      twice: {type: decimal(2), value: income * 2}
  orders:
    source: {url: "sqlite:///x.db", query: select 1}
    belongs_to: {table: customers, by: id}
    time: paid
    rows: amount > 0
    columns: {id: text, paid: date, amount: integer}
  cities: {source: {file: data/cities.xlsx, sheet: 表}, key: city, columns: {city: text}}
"""

RULES = """\
purpose: 目的
owner: 某人
review_by: 2027-06-30
parameters:
  high: {value: 5万, label: 高}
  days: {value: 180}
  cities: {value: [北京, 上海, 3]}
lists:
  key: {file: lists/key.csv, key: id}
attributes:
  five: {value: 5}
  yes: {value: true}
  sci: {value: 1e3}
  plus: {value: +5}
segments:
  rich:
    label: 富裕
    previously: [old]
    when: |
      income >= high   # 说明
      and vip
segmentations:
  stage:
    hit_policy: unique
    cases:
      - {segment: new, label: 新, when: income > 5, previously: [fresh]}
    otherwise: {segment: rest}
    unknown: {segment: unsure, label: 不明}
  grid:
    axes:
      value: {of: income, bands: {low: "< 5", high: ">= 5", none: missing}}
      other: {of: five, bands: {1: "-"}}
    cells:
      - {value: low, other: 1, segment: a}
      - {value: "-", segment: b}
    otherwise: {segment: c}
  tier:
    columns: [income, city.tier]
    outputs: [segment, discount]
    rows:
      - [">= 5", 一线, gold, 20%]
      - ["-", "", basic, 0.5]
    otherwise: [none, ]
scorecards:
  points:
    base: 20
    characteristics:
      - name: 项目
        points:
          - {when: vip, points: 5.5}
          - otherwise: -1
        missing: 0
"""

TESTS = """\
defaults:
  orders: {amount: 1}
tests:
  - name: 一位
    as_of: 2026-11-21
    customer: {gender: 女, tags: [a, b], income: 5.50}
    orders: [{amount: 300}, {amount: }]
    given: {rich: true}
    expect: {rich: false, stage: new}
  - name: 几位
    as_of: 2026-11-21
    customers: [{id: c1}, {id: 2}]
    expect: {c1: {rich: true}, 2: {rich: missing}}
"""


def project(folder: Path, files: dict[str, str]) -> Project:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    found, wrong = load(folder)
    assert wrong == []
    return found


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Project:
    files = {"segrules.yaml": PROJECT, "rules/sub/a.yml": RULES.replace("[none, ]", "[none, 0]"), "tests/a.yaml": TESTS}
    return project(tmp_path_factory.mktemp("project"), files)


def test_project_file(loaded: Project) -> None:
    file = loaded.file
    assert file is not None
    assert (file.name, file.timezone.text, file.keywords, file.customers.text) == (
        "示例", "Asia/Shanghai", "zh", "customers",
    )  # fmt: skip
    customers, orders, cities = file.tables
    assert customers.source is not None and customers.source.path is not None
    assert customers.source.path.text == "data/customers.csv"
    assert (customers.quarantine, customers.duplicates_keep, customers.label) == (True, "last", "客户")
    assert customers.format.missing == ("", "无") and customers.format.strip == ("¥", "%")
    columns = {column.name.text: column for column in customers.columns}
    assert list(columns) == ["id", "gender", "income", "updated", "tags", "vip", "city", "twice"]
    assert columns["vip"].yes == ("是", "Y", "1") and columns["gender"].can_be_missing
    assert columns["income"].max == Scalar(Decimal(1000000), "1e6", True) and columns["income"].pii
    assert columns["city"].unmatched_is_missing and columns["city"].name.span.text == "ｃｉｔｙ"
    assert columns["twice"].value is not None
    assert orders.source is not None and orders.source.query == "select 1" and orders.parent_by is not None
    assert isinstance(orders.rows, Compare)
    assert cities.source is not None and cities.source.sheet == "表"


def test_rule_file(loaded: Project) -> None:
    (rules,) = loaded.rules
    assert rules.review_by is not None and rules.review_by.text == "2027-06-30"
    high, days, cities = rules.parameters
    assert high.values[0].text == "5万" and days.values[0].value == 180
    assert cities.is_list and [one.value for one in cities.values] == ["北京", "上海", 3]
    five, yes, sci, plus = (attribute.value for attribute in rules.attributes)
    assert five == Literal("integer", 5) and yes == Literal("bool", True)
    assert sci == Literal("integer", 1000) and plus == Literal("integer", 5)
    (rich,) = rules.segments
    assert rich.previously[0].text == "old"
    place = rich.when.span.place
    assert (place.file, place.line, place.column, place.end_line) == ("rules/sub/a.yml", 20, 7, 21)


def test_segmentations(loaded: Project) -> None:
    stage, grid, tier = loaded.rules[0].segmentations
    assert stage.hit_policy == "unique" and isinstance(stage.body, CaseList)
    assert stage.unknown is not None and stage.unknown.label == "不明"
    assert isinstance(grid.body, Matrix)
    assert [name.text for name, _ in grid.body.axes[1].bands] == ["1"]
    assert [{axis: band.text for axis, band in cell.bands.items()} for cell in grid.body.cells] == [
        {"value": "low", "other": "1"}, {"value": "-"},
    ]  # fmt: skip
    assert isinstance(tier.body, DecisionTable)
    assert tier.body.columns[1][1] == Name(("city", "tier"))
    assert [[cell.value for cell in row] for row in tier.body.rows] == [
        [">= 5", "一线", "gold", "20%"], ["-", "", "basic", Decimal("0.5")],
    ]  # fmt: skip
    assert tier.otherwise is not None and [one.value for one in tier.otherwise.outputs] == [0]
    cell = tier.body.rows[0][0]
    assert cell.span.source.text == cell.text and cell.span.place.column == 11


def test_scorecard(loaded: Project) -> None:
    (card,) = loaded.rules[0].scorecards
    assert card.base == Scalar(20, "20", True)
    (item,) = card.characteristics
    assert [row.points.value for row in item.points] == [Decimal("5.5"), -1] and item.points[1].when is None


def test_examples(loaded: Project) -> None:
    (file,) = loaded.tests
    assert file.defaults["orders"]["amount"] == Scalar(1, "1", True)
    one, several = file.tests
    tags = one.customers[0]["tags"]
    assert isinstance(tags, tuple) and [tag.value for tag in tags] == ["a", "b"]
    assert [row["amount"] for row in one.tables["orders"]] == [Scalar(300, "300", True), Scalar(None, "", True)]
    assert one.expect == {None: {"rich": Scalar(False, "false", True), "stage": Scalar("new", "new", True)}}
    assert one.names["stage"].text == "stage" and not one.several
    assert several.several and list(several.expect) == ["c1", "2"]


def test_literals_that_only_yaml_writes_keep_their_place(loaded: Project) -> None:
    place = loaded.rules[0].attributes[2].value.span.place
    assert (place.line, place.column, place.end_column) == (13, 16, 19)


def test_negative_literals(tmp_path: Path) -> None:
    text = "purpose: p\nowner: o\nattributes: {a: {value: -0x10}, b: {value: -5}, c: {value: 0x10}}\n"
    found, _ = load(written(tmp_path, {"segrules.yaml": PROJECT, "rules/a.yaml": text}))
    assert found.rules[0].attributes[1].value == Negative(Literal("integer", 5))
    assert found.rules[0].attributes[2].value == Literal("integer", 16)


def written(folder: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return folder


TABLE = (
    "purpose: p\nowner: o\nsegmentations:\n"
    "  tier: {columns: [income, gender], outputs: [segment, off], file: FILE, otherwise: [z, 0]}\n"
)
CELLS = [[">= 5万", "男, 女", "a", Decimal("0.2")], [None, "-", "b", 5]]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ('income,gender,segment,off\n>= 5万,"男, 女",a,0.2\n,-,b,5\n', "utf-8"),
        ('income,gender,segment,off\n>= 5万,"男, 女",a,0.2\n,-,b,5\n', "utf-8-sig"),
        ('income,gender,segment,off\r\n>= 5万,"男, 女",a,0.2\r\n\r\n,-,b,5', "gb18030"),
        ('off;segment;gender;income\n0.2;a;"男, 女";>= 5万\n5;b;-;\n;;;\n', "utf-8"),
        ("income\tgender\tsegment\toff\n>= 5万\t男, 女\ta\t0.2\n\t-\tb\t5\n", "utf-8"),
    ],
)
def test_decision_table_in_a_csv_file(tmp_path: Path, text: str, encoding: str) -> None:
    written(tmp_path, {"segrules.yaml": PROJECT, "rules/a.yaml": TABLE.replace("FILE", "tiers.csv")})
    (tmp_path / "tiers.csv").write_bytes(text.encode(encoding))
    found, wrong = load(tmp_path)
    assert wrong == []
    body = found.rules[0].segmentations[0].body
    assert isinstance(body, DecisionTable)
    assert [[cell.value for cell in row] for row in body.rows] == CELLS
    quoted = body.rows[0][1].span
    assert quoted.source.text == "男, 女"
    assert quoted.source.span(3, 4).in_file().text == "女"
    assert quoted.place.file == "tiers.csv" and quoted.place.line == 2


def test_decision_table_in_a_workbook(tmp_path: Path) -> None:
    written(tmp_path, {"segrules.yaml": PROJECT, "rules/a.yaml": TABLE.replace("FILE", "tiers.xlsx")})
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row, cells in enumerate(
        [["income", "gender", "segment", "off"], [">= 5万", "男, 女", "a", 0.2], [None, "-", "b", 5]]
    ):
        for column, value in enumerate(cells):
            sheet.cell(row + 3, column + 2, value)
    book.save(tmp_path / "tiers.xlsx")
    found, wrong = load(tmp_path)
    assert wrong == []
    body = found.rules[0].segmentations[0].body
    assert isinstance(body, DecisionTable)
    assert [[cell.value for cell in row] for row in body.rows] == CELLS
    assert [str(row[0].span.place.file) for row in body.rows] == ["tiers.xlsx!B4", "tiers.xlsx!B5"]


def test_formulas_of_a_workbook_have_values(tmp_path: Path) -> None:
    written(tmp_path, {"segrules.yaml": PROJECT, "rules/a.yaml": TABLE.replace("FILE", "tiers.xlsx")})
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["income", "gender", "segment", "off"], [">= 5万", "-", "a", "=A2+1"], ["#NAME?", "-", "b", 5]):
        sheet.append(row)
    sheet["A3"].data_type = "e"
    book.save(tmp_path / "tiers.xlsx")
    found = [one for one in load(tmp_path)[1] if one.code == "R530"]
    told = [(one.span.place.file, one.span.text) for one in found]
    assert told == [("tiers.xlsx!A3", "#NAME?"), ("tiers.xlsx!D2", "=A2+1")]


@pytest.mark.parametrize("name", ["demo", "online_retail"])
def test_shipped_projects_are_right(name: str) -> None:
    found, wrong = load(resource_folder("rules") / name)
    assert wrong == [] and found.rules and found.tests


def test_files_come_in_order_of_their_paths(tmp_path: Path) -> None:
    rule = "purpose: {}\nowner: o\n"
    names = ["rules/b.yaml", "rules/a/z.yaml", "rules/a.yml", "rules/é.yaml", "rules/中/文.yaml"]
    files = {name: rule.format(name) for name in names} | {"segrules.yaml": PROJECT}
    files |= {"rules/.hidden/x.yaml": "x", "rules/.x.yaml": "x", "rules/readme.md": "x"}
    assert [file.purpose for file in project(tmp_path, files).rules] == sorted(names)


def test_rules_beside_the_project_file(tmp_path: Path) -> None:
    files = {
        "segrules.yaml": PROJECT + "rules: .\n",
        "a.yaml": RULES.replace("[none, ]", "[none, 0]"),
        "tests/a.yaml": TESTS,
    }
    found = project(tmp_path, files | {"policies.yaml": "global_holdout: 5%\n"})
    assert len(found.rules) == len(found.tests) == 1


@pytest.mark.parametrize(
    ("requirement", "version", "verdict"),
    [
        ("~= 1.2", "1.2.0", True), ("~= 1.2", "1.9", True), ("~= 1.2", "2.0", False), ("~= 1.2.3", "1.2.9", True),
        ("~= 1.2.3", "1.3.0", False), (">= 1.0, < 2", "1.5", True), (">= 1.0, < 2", "2.0.0", False), 
        ("== 1.0", "1", True),
        ("!= 1.0", "1.0.0", False), ("> 1", "1.0.1", True), ("<= 1", "1.0.dev1", True), ("~= 1", "1.0", None),
        ("newest", "1.0", None), ("", "1.0", None), (">= 1,", "1.0", None), (">= " + "9" * 5_000, "1.0", None),
    ],
)  # fmt: skip
def test_requirements(requirement: str, version: str, verdict: bool | None) -> None:
    assert satisfied(requirement, version) is verdict
