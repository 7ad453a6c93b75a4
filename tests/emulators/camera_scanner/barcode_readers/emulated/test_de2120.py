import serial
from de2120_barcode_scanner import DE2120BarcodeScanner  # type: ignore[import-untyped] # comes without types
from hypothesis import given
from hypothesis import strategies as st

from emulators.camera_scanner.barcode_readers.emulated.code import Code
from emulators.camera_scanner.barcode_readers.emulated.de2120 import De2120
from emulators.camera_scanner.barcode_readers.modes import TriggerMode
from emulators.env import Env
from emulators.usb.serial_pty import SerialPty


def test_the_unmodified_client_configures_and_scans() -> None:
    """de2120-barcode-scanner over a terminal, with pyserial."""
    with SerialPty(De2120(Env.real())) as line, serial.Serial(line.path, 115_200, timeout=5) as port:
        scanner = DE2120BarcodeScanner(port)
        assert scanner.begin()
        for call in (
            scanner.enable_decode_beep,
            scanner.disable_boot_beep,
            scanner.light_off,
            scanner.reticle_on,
            scanner.enable_image_flipping,
            scanner.enable_all_1D,
            scanner.enable_manual_trigger,
            scanner.start_scan,
        ):
            assert call(), call
        assert scanner.change_buzzer_tone(1)
        assert scanner.change_reading_area(40)
        with line.using() as reader:
            reader.show(Code(b"OTP 123456"))
        assert port.read_until(b"\r\n") == b"OTP 123456\r\n"
        assert scanner.stop_scan()
        assert not scanner.send_command("NOSUCH", "1")
        assert not scanner.send_command("BEPSUC", "7")
        assert scanner.disable_all_2D()
        assert scanner.start_scan()
        assert scanner.available() == 0
        assert scanner.enable_all_2D()
        assert scanner.change_baud_rate(9600)
        port.baudrate = 9600
        assert scanner.is_connected()
        assert scanner.factory_default()
        port.baudrate = 115_200
        assert scanner.is_connected()


def test_the_client_reads_continuously() -> None:
    """Every half second of what stays in view."""
    with SerialPty(De2120(Env.real())) as line, serial.Serial(line.path, 115_200, timeout=5) as port:
        assert DE2120BarcodeScanner(port).enable_continuous_read(2)
        with line.using() as reader:
            reader.show(Code(b"again"))
        assert port.read(14) == b"again\r\nagain\r\n"


def test_every_setting_outlives_a_power_cut() -> None:
    """There is no command to save."""
    reader = De2120(Env.simulated(1))
    reader.receive(b"^_^SCMMDH.^_^232BAD5.")
    assert reader.take_output() == b"\x06\x06"
    reader.power_cycle()
    assert reader.baud_rate == 9600
    assert reader._pace().mode is TriggerMode.PRESENTATION


@given(st.lists(st.binary(max_size=30), max_size=8))
def test_noise_never_breaks_it(noise: list[bytes]) -> None:
    """No crash on any bytes."""
    reader = De2120(Env.simulated(1))
    for piece in noise:
        reader.receive(piece)
    reader.power_cycle()
    reader.take_output()
    reader.receive(b"^_^DSPYFW.")
    assert reader.take_output() == b"\x06"
