"""Formulas of an Excel workbook that have no value: they failed, or nothing has calculated them.

In: the bytes of an .xlsx or .xlsm file.  Out: the places of such cells on the first sheet, and what stands there.
Always: a reader of values sees nothing in them, so that what was to be a test would take anything; a file of another
make gives nothing.

    without_value(data)      # (("B4", "#NAME?"), ("C4", "=A4+1"))
"""

from __future__ import annotations

import html
import io
import re
import zipfile
from posixpath import join, normpath

MAX_BYTES = 64 * 1024 * 1024

_CELL = re.compile(
    r"<(?:\w+:)?c(?P<attributes>\s[^>]*[^/>])>"
    r"(?P<inside>[^<]*(?:<(?!/?(?:\w+:)?c[\s>])[^<]*)*)</(?:\w+:)?c>"
)
_FORMULA = re.compile(r"<(?:\w+:)?f\b[^>]*?(?:/>|>(?P<text>[^<]*)<)")
_VALUE = re.compile(r"<(?:\w+:)?v\b[^>]*>(?P<text>[^<]+)<")
_SHEET = re.compile(r"<(?:\w+:)?sheet\s[^>]*>")
_RELATIONSHIP = re.compile(r"<(?:\w+:)?Relationship\s[^>]*>")
_ATTRIBUTE = re.compile(r"([\w:]+)\s*=\s*[\"']([^\"']*)[\"']")


def without_value(data: bytes) -> tuple[tuple[str, str], ...]:
    """Cell and the formula or error in it, in the order of the sheet."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as book:
            sheet = _read(book, _first_sheet(book))
    except (zipfile.BadZipFile, KeyError, OSError, ValueError, NotImplementedError, RuntimeError):
        return ()
    found = []
    for cell in _CELL.finditer(sheet):
        attributes = dict(_ATTRIBUTE.findall(cell["attributes"]))
        formula, value = _FORMULA.search(cell["inside"]), _VALUE.search(cell["inside"])
        failed = attributes.get("t") == "e"
        empty = formula is not None and value is None and attributes.get("t") != "str"
        if failed or empty:
            shown = value["text"] if failed and value else f"={(formula and formula['text']) or ''}"
            found.append((attributes.get("r", "?"), html.unescape(shown)))
    return tuple(found)


def _first_sheet(book: zipfile.ZipFile) -> str:
    sheet = _SHEET.search(_read(book, "xl/workbook.xml"))
    wanted = dict(_ATTRIBUTE.findall(sheet[0])).get("r:id") if sheet else None
    for written in _RELATIONSHIP.findall(_read(book, "xl/_rels/workbook.xml.rels")):
        attributes = dict(_ATTRIBUTE.findall(written))
        if wanted is not None and attributes.get("Id") == wanted:
            return normpath(join("/xl", attributes["Target"])).lstrip("/")
    raise KeyError(wanted)


def _read(book: zipfile.ZipFile, name: str) -> str:
    if book.getinfo(name).file_size > MAX_BYTES:
        raise ValueError(name)
    return book.read(name).decode("utf-8")
