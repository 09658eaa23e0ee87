"""A parcel's way through the twin, seen by its scanners and cameras."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from packline.core.identity import Lpn
from scanning.decode import decode
from scanning.verify import ExpectedLabel, VerdictKind, judge
from simulation.mounts.http import HttpServer, Response

pytestmark = pytest.mark.wire

LPN = Lpn.number(1000).text

APPLY, EJECT, DISCARD = 16, 17, 18


def judge_label(jpeg, expected):
    return judge(decode(jpeg), expected).kind


async def connect_scanner(served, name, wait_until):
    """Connect to a line scanner and wait until it has noticed."""
    host, _, port = served.addresses[name].partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    mount = next(post.mount for post in served.twin._posts if post.name == name)
    await wait_until(lambda: mount.peers)
    return reader, writer


async def get(url):
    """Fetch by a raw socket; gives status, headers, body."""
    host, _, rest = url.removeprefix("http://").partition(":")
    port, _, path = rest.partition("/")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    async with asyncio.timeout(20):
        answer = await reader.read()
    writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines[1:])}
    return int(lines[0].split()[1]), headers, body


async def labelled(served, raw, raw_modbus, make_label_job, wait_until, *, number=77):
    """Bring a closed carton to the stop of label-1 and let printer and arm label it."""
    floor = served.floor
    carton = await floor.fresh_carton()
    await floor.close_carton(carton)
    await floor.send(carton, "label-1")
    await wait_until(lambda: carton.place == "label-1")
    await raw(served.addresses["printer-1"], make_label_job(carton.lpn, number), 7)
    async with raw_modbus(served.addresses["arm-1"]) as client:
        hand = client.hand()
        await hand.take()
        assert (await hand.status()).spare[0] & 0b11 == 0b11  # parcel present, label at peel
        done = await hand.do(APPLY)
        assert (done.error, done.data[0]) == (0, 1)  # it counts what it put on: that is the proof people read
        assert (await hand.status()).spare[0] & 0b110 == 0  # the label is neither at the peel bar nor on the pad
    return carton


async def test_verify_camera_shows_what_was_really_printed_and_put_on(
    served, raw, raw_modbus, make_label_job, wait_until
):
    carton = await labelled(served, raw, raw_modbus, make_label_job, wait_until)
    before = datetime.now(UTC)
    status, headers, jpeg = await get(served.addresses["cam-verify"])
    assert status == 200
    assert headers["content-type"] == "image/jpeg"
    assert abs(datetime.fromisoformat(headers["x-captured-at"]) - before) < timedelta(minutes=1)
    label = carton.labels[0].label
    expected = ExpectedLabel(lpn=carton.lpn, sscc=label.sscc, print_number=77)
    assert judge_label(jpeg, expected) is VerdictKind.MATCH
    _, later, _ = await get(served.addresses["cam-verify"])
    assert int(later["x-frame-counter"]) > int(headers["x-frame-counter"])
    assert datetime.fromisoformat(later["x-captured-at"]) > datetime.fromisoformat(headers["x-captured-at"])


async def test_a_second_label_beside_the_first_is_counted_and_seen(served, raw, raw_modbus, make_label_job, wait_until):
    carton = await labelled(served, raw, raw_modbus, make_label_job, wait_until)
    await raw(served.addresses["printer-1"], make_label_job(carton.lpn, 78), 7)
    label = await served.floor.take_label("printer-1")
    await served.floor.stick(label, carton)
    _, _, jpeg = await get(served.addresses["cam-verify"])
    first = carton.labels[0].label
    expected = ExpectedLabel(lpn=carton.lpn, sscc=first.sscc, print_number=77)
    assert judge_label(jpeg, expected) is not VerdictKind.MATCH
    assert served.truth.summary()["double_labels"] == 1


async def test_dropped_label_is_reported_as_applied_but_is_not_there(
    served, raw, raw_modbus, make_label_job, wait_until
):
    await served.fault("arm-1", "label_dropped", times=1)
    carton = await labelled(served, raw, raw_modbus, make_label_job, wait_until)
    assert served.floor.look(carton)["labels"] == []
    summary = served.truth.summary()
    assert (summary["labels_applied"], summary["labels_lost"]) == (0, 1)


async def test_discard_clears_the_peel_bar(served, raw, raw_modbus, make_label_job):
    await raw(served.addresses["printer-1"], make_label_job(LPN, 5), 7)
    async with raw_modbus(served.addresses["arm-1"]) as client:
        hand = client.hand()
        await hand.take()
        assert (await hand.do(DISCARD)).data[0] == 1
        assert (await hand.do(DISCARD)).data[0] == 0
    assert served.truth.summary()["labels_discarded"] == 1


async def test_frozen_camera_repeats_its_old_number_and_time_and_dark_one_shows_nothing(served):
    url = served.addresses["cam-bench"]
    _, first, picture = await get(url)
    await served.fault("cam-bench", "frozen")
    carton = await served.floor.fresh_carton()
    await served.floor.put_down(carton, "bench-1")
    _, frozen, same = await get(url)
    assert (frozen["x-frame-counter"], frozen["x-captured-at"], same) == (
        first["x-frame-counter"],
        first["x-captured-at"],
        picture,
    )
    await served.mend("cam-bench")
    _, fresh, changed = await get(url)
    assert int(fresh["x-frame-counter"]) > int(first["x-frame-counter"])
    assert changed != picture
    await served.fault("cam-bench", "dark")
    assert len((await get(url))[2]) < len(changed) / 2


async def test_scanners_send_lines_with_their_aim_prefix(served, wait_until):
    reader, writer = await connect_scanner(served, "scan-induct", wait_until)
    for text, line in (
        ("6901234567892", b"]E06901234567892\r\n"),
        (LPN, f"]C0{LPN}\r\n".encode()),
        ("00095213210000000773", b"]C100095213210000000773\r\n"),
        ("SLOT:H01", b"]C0SLOT:H01\r\n"),
    ):
        await served.floor.scan("scan-induct", text)
        assert await asyncio.wait_for(reader.readline(), 20) == line
    writer.close()


async def test_fixed_scanner_reads_on_arrival_and_on_trigger(served, wait_until):
    reader, writer = await connect_scanner(served, "scan-pack", wait_until)
    writer.write(b"+\r\n")  # nothing there: nothing comes
    carton = await served.floor.fresh_carton()
    await served.floor.send(carton, "pack-1")
    assert await asyncio.wait_for(reader.readline(), 20) == f"]C0{carton.lpn}\r\n".encode()
    writer.write(b"+\r\n")
    assert await asyncio.wait_for(reader.readline(), 20) == f"]C0{carton.lpn}\r\n".encode()
    writer.close()


async def test_a_failing_handler_answers_500_and_the_server_goes_on():
    async def handler(request):
        if request.path == "/boom":
            raise RuntimeError("boom")
        return Response.of_json({"path": request.path, "query": dict(request.query)})

    server = HttpServer("127.0.0.1:0", handler)
    url = await server.open()
    assert (await get(f"{url}/boom"))[0] == 500
    status, _, body = await get(f"{url}/caf%C3%A9?a=1&b=")
    assert (status, body) == (200, '{"path": "/café", "query": {"a": "1", "b": ""}}'.encode())
    await server.close()
