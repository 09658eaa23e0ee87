import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packline.core.clock import ManualClock
from packline.core.ids import SeededIds
from packline.orders.model import Item
from packline.store import open_store
from packline.store.item_file import read_items
from packline.store.items import MOST_AT_ONCE

HEAD = "sku,merchant,name,barcodes,weight_g,length_mm,width_mm,height_mm,picture,location"
words = st.text(st.characters(categories=("L", "N", "P"), exclude_characters="\ufeff"), min_size=1, max_size=20)
sizes = st.integers(0, 5000)
items = st.builds(
    Item,
    sku=words,
    merchant=words,
    name=words,
    barcodes=st.lists(words, max_size=3, unique=True).map(tuple),
    weight_g=sizes,
    length_mm=sizes,
    width_mm=sizes,
    height_mm=sizes,
    picture=words | st.just(""),
    location=words | st.just(""),
)


def as_csv(rows) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(HEAD.split(","))
    for item in rows:
        writer.writerow(
            [" ".join(v) if isinstance(v, tuple) else v for v in (getattr(item, n) for n in HEAD.split(","))]
        )
    return text.getvalue().encode()


@given(st.lists(items, max_size=8, unique_by=lambda item: item.sku), st.booleans())
def test_items_survive_a_file(rows, mark):
    read, report = read_items((b"\xef\xbb\xbf" if mark else b"") + as_csv(rows))

    assert read == rows
    assert report.good == len(rows)
    assert report.bad == ()


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_whatever_is_in_a_file_it_is_reported_and_never_raised(data):
    read, report = read_items(HEAD.encode() + b"\n" + data)

    assert report.good == len(read)


@pytest.mark.parametrize(
    "row,line,column,expected",
    [
        ("A,m,cup,4006381333931,x,1,1,1,,", 2, "weight_g", "a whole number of grams from 0 to 1000000"),
        ("A,m,cup,,-1,1,1,1,,", 2, "weight_g", "a whole number of grams from 0 to 1000000"),
        ("A,m,cup,,1,1,1,\uff11\u00b2,,", 2, "height_mm", "a whole number of millimetres from 0 to 100000"),
        (",m,cup,,1,1,1,1,,", 2, "sku", "a text without blanks"),
        ("A,,cup,,1,1,1,1,,", 2, "merchant", "a text"),
        ("A,m,cup,,1", 2, "", "10 cells"),
        ("A,m,cup,,1,1,1,1,,\nA,m,cup,,1,1,1,1,,", 3, "sku", "each SKU once in a file"),
        ('A,m,"cup', 2, "", "comma separated values"),
    ],
)
def test_bad_row_is_reported_with_line_column_and_what_was_expected(row, line, column, expected):
    _, report = read_items(f"{HEAD}\n{row}".encode())

    assert [(bad.line, bad.column, bad.expected) for bad in report.bad] == [(line, column, expected)]
    assert f"line {line}" in report.bad[0].text()


@pytest.mark.parametrize(
    "data,seen,expected",
    [
        (b"sku,merchant,name,barcode\n", "barcode", "did you mean 'barcodes'?"),
        (b"sku,merchant\n", "nothing", "this column"),
        (b"sku,sku,merchant,name\n", "sku twice", "each column once"),
        (b"sku,merchant,name\nA,m,\xb2\xe8\n", r"b'\xb2'", "UTF-8 text"),
    ],
)
def test_wrong_heading_or_encoding_is_reported(data, seen, expected):
    read, report = read_items(data)

    assert read == []
    assert [(bad.seen, bad.expected) for bad in report.bad] == [(seen, expected)]


async def test_good_rows_are_kept_beside_bad_ones(store):
    report = store.items.import_csv(f"{HEAD}\nA,m,cup,1 2,10,1,1,1,,H1\nB,m,bowl,,heavy,1,1,1,,\n".encode())

    assert (report.good, len(report.bad)) == (1, 1)
    assert [item.sku for item in await store.books.item_of("2")] == ["A"]
    assert await store.books.item("A") is not None and await store.books.item("B") is None


def test_large_item_master_leaves_the_line_its_books_in_between(path):
    """A hundred thousand items in one transaction kept a running line from its books for ten seconds."""
    commits = []

    def counted(commit):
        def counting():
            commits.append(1)
            commit()

        return counting

    store = open_store(f"sqlite:///{path}", clock=ManualClock(), ids=SeededIds("x"), inline=True, wrap_commit=counted)
    rows = "".join(f"SKU-{n},m,cup\n" for n in range(MOST_AT_ONCE + 1))

    assert store.items.import_csv(f"sku,merchant,name\n{rows}".encode()).good == MOST_AT_ONCE + 1
    assert len(commits) == 2 and store.views.items().total == MOST_AT_ONCE + 1
    store.close()
