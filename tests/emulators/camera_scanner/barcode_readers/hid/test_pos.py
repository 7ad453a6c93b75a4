import json
import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulators.camera_scanner.barcode_readers.emulated.code import Code
from emulators.camera_scanner.barcode_readers.emulated.trigger import Pace
from emulators.camera_scanner.barcode_readers.hid.pos import Beep, HidPosReader
from emulators.camera_scanner.barcode_readers.modes import TriggerMode
from emulators.env import Env
from tests.emulators.camera_scanner.barcode_readers.hid.reports import reports_of

HOST = Pace(TriggerMode.HOST)


def test_a_boarding_pass_comes_in_two_reports() -> None:
    """The example of the Access-IS LSR118 manual, appendix B.1.1: 60 bytes, of which 56 fit into the first report."""
    pos = HidPosReader(Env.simulated(1))
    text = b"M1GATHERGOOD/MICHAEL YABCDEF LHRDURAK 3542 052Y003D23   100"
    pos.show(Code(text + b"\r", "]Q0"))
    first, second = reports_of(pos)
    assert first == b"\x02\x38]Q0" + text[:56] + b"s\0\1"
    assert second == b"\x02\x04]Q0" + (text[56:] + b"\r").ljust(56, b"\0") + b"s\0\0"


@given(st.binary(max_size=400))
def test_all_bytes_arrive(data: bytes) -> None:
    """In as many reports as it takes; only the last says that it is the last."""
    pos = HidPosReader(Env.simulated(1))
    pos.show(Code(data))
    reports = reports_of(pos)
    assert b"".join(report[5 : 5 + report[1]] for report in reports) == data
    assert [report[63] for report in reports] == [1] * (len(reports) - 1) + [0]
    assert {len(report) for report in reports} == {64}


def test_the_host_triggers_forbids_and_beeps() -> None:
    """By the bits of the trigger report, appendix B.3."""
    pos = HidPosReader(Env.simulated(1), HOST)
    pos.show(Code(b"x"))
    assert reports_of(pos) == []
    pos.receive(b"\x04\x06")
    assert reports_of(pos) == [], "triggered, and forbidden to read at the same time"
    pos.receive(b"\x04\x04")
    assert [report[5:6] for report in reports_of(pos)] == [b"x"]
    pos.receive(b"\x04\x60")
    assert pos.take_beeps() == (Beep.ERROR, Beep.GOOD_READ)


def test_honeywells_serial_commands_come_in_a_report_too() -> None:
    """Appendix B.2: report 253, a length and the command; here the trigger."""
    pos = HidPosReader(Env.simulated(1), HOST)
    pos.receive(b"\xfd\x03\x16T\r".ljust(64, b"\0"))
    pos.receive(b"\xfd\x03\x16U\r".ljust(64, b"\0"))
    pos.show(Code(b"late"))
    assert reports_of(pos) == []
    pos.receive(b"\xfd\x03\x16T\r".ljust(64, b"\0"))
    assert len(reports_of(pos)) == 1


def test_it_tells_of_its_attributes() -> None:
    """A presentation reader needs no trigger; there are no other features."""
    assert HidPosReader(Env.simulated(1)).feature(3) == b"\x03\x07"
    assert HidPosReader(Env.simulated(1), HOST).feature(3) == b"\x03\x01"
    assert HidPosReader(Env.simulated(1)).feature(99) is None


def test_what_hosts_of_honeywells_readers_set_is_kept() -> None:
    """As the parser for web pages does before it listens; nothing else can be set."""
    pos = HidPosReader(Env.simulated(1))
    assert pos.set_feature(b"\xfe\x01")
    assert pos.feature(254) == b"\xfe\x01"
    for report in (b"", b"\xfe", b"\xfe\x01\x02", b"\x03\x01"):
        assert not pos.set_feature(report)


@given(st.lists(st.binary(max_size=70), max_size=20))
def test_noise_never_breaks_it(noise: list[bytes]) -> None:
    """And does not trigger it for good."""
    pos = HidPosReader(Env.simulated(1), HOST)
    for report in noise:
        pos.receive(report)
    pos.host_left()
    pos.show(Code(b"x"))
    assert reports_of(pos) == []


REQUIRE_TOOLS = "AUTHRIG_REQUIRE_TOOLS"
PARSER = "@point-of-sale/webhid-barcode-scanner"
VERSION = "1.2.2"
INTEGRITY = "sha512-PWsBE36SeAyqmKCwv/IjhDifMX8PAi8t+nXTzBDY5xdzqUG1zbCYfhfsfFIZnoeNLzI91rwtknOsE2QUENJgVw=="
PAGE = """
import {readFileSync} from "node:fs";
import {pathToFileURL} from "node:url";
const [script, file] = process.argv.slice(2);
const {vendorId, productId, collections, reports} = JSON.parse(readFileSync(file));
console.log = () => {};
const listeners = {}, features = [];
const device = {
  vendorId, productId, productName: "test reader", collections,
  open: async () => {}, close: async () => {},
  sendFeatureReport: async (id, data) => { features.push([id, ...data]); },
  addEventListener: (name, listener) => { listeners[name] = listener; },
};
const hid = {addEventListener: () => {}, requestDevice: async () => [device], getDevices: async () => [device]};
Object.defineProperty(globalThis, "navigator", {value: {hid}, configurable: true});
const Scanner = (await import(pathToFileURL(script))).default;
const scanner = new Scanner();
const codes = [];
scanner.addEventListener("barcode", code => codes.push([code.value, code.aim, code.symbology]));
await scanner.connect();
for (const report of reports) {
  // WebHID gives the id apart from the data.
  const data = new DataView(Uint8Array.from(report.slice(1)).buffer);
  listeners.inputreport({device, reportId: report[0], data});
}
await new Promise(done => setTimeout(done, 10));
process.stdout.write(JSON.stringify({codes, features}));
"""


@pytest.fixture(scope="module")
def parser(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The parser, unmodified, from the registry that npm is set to, and no other version than the one that is named."""
    folder = tmp_path_factory.mktemp("parser")
    (folder / "package.json").write_text("{}")
    # The package bundles what it needs; what it names besides are the tools that it was built with.
    packed = subprocess.run(
        ["npm", "pack", "--silent", "--json", f"{PARSER}@{VERSION}"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    if packed.returncode and os.environ.get(REQUIRE_TOOLS) != "1":
        pytest.skip(f"npm cannot fetch {PARSER}: {packed.stderr.strip()[-200:]}")
    assert packed.returncode == 0, packed.stderr
    (package,) = json.loads(packed.stdout)
    assert package["integrity"] == INTEGRITY
    archive = next(folder.glob("*.tgz"))
    subprocess.run(["tar", "xf", archive], cwd=folder, check=True)
    (folder / "page.mjs").write_text(PAGE)
    return folder / "package/dist/webhid-barcode-scanner.esm.js"


@pytest.mark.needs("npm", "node", "tar")
@pytest.mark.parametrize("vendor_id", [0x1209, 0x0C2E], ids=["ours", "Honeywell's"])
def test_the_parser_for_web_pages_agrees(parser: Path, vendor_id: int) -> None:
    """Text, all bytes, codes of one and of many reports; it knows a QR code by our AIM identifier and by Honeywell's."""
    pos = HidPosReader(Env.simulated(1))
    wanted = [b"AQB1:NCFOXN%TSMAHN-H", bytes(range(256)), b"x" * 56, b"y" * 113, b"z" * 3000]
    for data in wanted:
        pos.show(Code(data))
    folder = parser.parents[2]
    (folder / "reports.json").write_text(
        json.dumps(
            {
                "vendorId": vendor_id,
                "productId": 6,
                "collections": [{"usagePage": 0x8C, "usage": 2}],
                "reports": [list(report) for report in reports_of(pos)],
            }
        )
    )
    done = subprocess.run(
        ["node", folder / "page.mjs", parser, folder / "reports.json"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    found = json.loads(done.stdout)
    assert found["codes"] == [[data.decode("latin-1"), "]Q1", "qr-code"] for data in wanted]
    assert found["features"] == ([[254, 1]] if vendor_id == 0x0C2E else [])
