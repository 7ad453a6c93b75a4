"""A token as one file: which model it is, all that it remembers, and the session that its user has with it."""

import hashlib
from pathlib import Path
from typing import Annotated, Any, Self

import msgspec

from authrig.errors import RigError
from authrig.tokens.held_file import HeldFile
from authrig.tokens.journal import Session
from emulators.env import Env, Random, SeededRandom, SystemClock, SystemRandom
from emulators.hwtoken.memory import MemoryFault, RamStore, TokenMemory
from emulators.hwtoken.profile import Profile, ProfileError, load_profile, parse_profile, profile_names

FORMAT = "authrig token"
VERSION = 1
DEFAULT_PROFILE = "qr-reader-keypad"


class AppAccount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an app knows about the server that asks it over the network."""

    cloud_url: str
    device_id: Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z-]{1,64}$(?!\n)")]
    request_key: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")]
    seed_id: str
    """Which seed it came with: a token that was erased, or has another one, answers no pushes."""

    def __repr__(self) -> str:
        return f"AppAccount({self.cloud_url!r}, {self.device_id!r})"


class Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything in the file."""

    profile: str
    """The name of a shipped model, or what the file of another one was called."""
    memory: str
    """The token's memory, in the form that it stores itself."""
    profile_toml: str | None = None
    """The model, where it is not a shipped one."""
    seed: str | None = None
    """Anyone who knows it can predict the token's secrets."""
    runs: Annotated[int, msgspec.Meta(ge=0)] = 0
    """Sessions of a seeded token so far: no two draw the same."""
    app: AppAccount | None = None
    session: Session | None = None
    """From power-on to power-off, over several commands; None while it is dark."""

    def __repr__(self) -> str:
        return f"Kept({self.profile!r})"


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: str
    version: int
    sha256: str
    contents: msgspec.Raw


class TokenFile:
    """An open token file; close it when done, for one process uses it at a time."""

    def __init__(self, held: HeldFile, kept: Kept, profile: Profile) -> None:
        self._held = held
        self.kept = kept
        self.profile = profile

    @classmethod
    def create(
        cls, path: Path, profile: str = DEFAULT_PROFILE, serial: str | None = None, seed: int | None = None
    ) -> Self:
        """Make a new token in the new file ``path``, with a factory key, and without a user's seed.

        Args:
            path: where.
            profile: a shipped model, or the path of a TOML file.
            serial: 1 to 64 visible ASCII characters; one of its own unless given.
            seed: makes its secrets repeatable: anyone can predict them.

        Raises:
            RigError: if the file exists or cannot be made, the model cannot be used, or the serial is none.
        """
        model, toml = _find_profile(profile)
        random: Random = SystemRandom() if seed is None else SeededRandom(str(seed), "token factory")
        factory_key = random.token_bytes(32)
        store = RamStore()
        try:
            TokenMemory(store).manufacture(_draw_serial(random) if serial is None else serial, factory_key)
        except ValueError as error:
            raise RigError(f"serial {serial!r}: {error}") from error
        kept = Kept(
            Path(profile).stem if toml else profile,
            (store.load() or b"").decode(),
            toml,
            None if seed is None else str(seed),
        )
        return cls(HeldFile.create(path, _encode(kept)), kept, model)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the token in ``path``.

        Raises:
            RigError: if there is no such file, it is damaged, in use, no token file or from a newer version; it is left as
                it is.
        """
        held = HeldFile.open(path)
        try:
            kept = _decode(held.read(), path)
            profile = _profile_of(kept)
        except ProfileError as error:
            held.close()
            raise RigError(f"token file {path}: {error}") from error
        except BaseException:
            held.close()
            raise
        return cls(held, kept, profile)

    @property
    def name(self) -> str:
        """What to call it in an error."""
        return self._held.name

    def keep(self, **changes: Any) -> None:
        """Write it with ``changes``, all of them or none.

        Raises:
            RigError: if it cannot be written; then nothing has changed.
        """
        try:
            self._write(changes)
        except OSError as error:
            raise RigError(f"token file {self.name}: cannot be written: {error.strerror or error}") from error

    def memory(self) -> TokenMemory:
        """The token's memory, each write of which is a write of the file.

        Raises:
            RigError: if it is damaged.
        """
        return open_memory(FileMemory(self))

    def app(self, memory: TokenMemory) -> AppAccount | None:
        """Its account as an app, as long as ``memory`` has the seed that came with it."""
        account, identity = self.kept.app, memory.identity
        if account is None or identity is None or account.seed_id != seed_id(identity.seed):
            return None
        return account

    def env(self, random: Random | None = None) -> Env:
        """The machine's clock, with ``random``, or that of the machine."""
        return Env(SystemClock(), random or SystemRandom())

    def next_stream(self) -> Random | None:
        """What the next run of a seeded token draws from; None for any other. Raises RigError."""
        if self.kept.seed is None:
            return None
        stream = SeededRandom(self.kept.seed, f"token run {self.kept.runs}")
        self.keep(runs=self.kept.runs + 1)
        return stream

    def close(self) -> None:
        """Let go of the file."""
        self._held.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _write(self, changes: dict[str, Any]) -> None:
        kept = msgspec.structs.replace(self.kept, **changes)
        self._held.replace(_encode(kept))
        self.kept = kept


class FileMemory:
    """The part of a token file that is the token's own memory, as the token stores it."""

    def __init__(self, file: TokenFile) -> None:
        self._file = file

    @property
    def name(self) -> str:
        """The path."""
        return self._file.name

    def load(self) -> bytes | None:
        """What it keeps."""
        return self._file.kept.memory.encode()

    def save(self, data: bytes) -> None:
        """Keep ``data``. Raises MemoryFault."""
        try:
            self._file._write({"memory": data.decode()})  # noqa: SLF001 - the two are one: this is how the token sees the file
        except OSError as error:
            raise MemoryFault(f"token file {self.name}: cannot be written: {error.strerror or error}") from error


def seed_id(seed: bytes) -> str:
    """A name for ``seed`` that does not tell it."""
    return hashlib.sha256(b"authrig app account\0" + seed).hexdigest()[:16]


def open_memory(store: Any) -> TokenMemory:
    """The memory in ``store``. Raises RigError where it is damaged."""
    try:
        return TokenMemory(store)
    except MemoryFault as error:
        raise RigError(str(error)) from error


def _find_profile(name: str) -> tuple[Profile, str | None]:
    """The model, and its text where it is not a shipped one."""
    if name in profile_names():
        return load_profile(name), None
    if not name.endswith(".toml"):
        raise RigError(f"expected a token model ({', '.join(profile_names())}) or FILE.toml, found {name!r}")
    try:
        text = Path(name).read_text("utf-8")
        return parse_profile(text, name), text
    except (OSError, UnicodeDecodeError) as error:
        raise RigError(f"token profile {name}: cannot be read: {error}") from error
    except ProfileError as error:
        raise RigError(str(error)) from error


def _profile_of(kept: Kept) -> Profile:
    if kept.profile_toml is None:
        return load_profile(kept.profile)
    return parse_profile(kept.profile_toml, f"{kept.profile}.toml")


def _draw_serial(random: Random) -> str:
    return f"QT1-{int.from_bytes(random.token_bytes(8)) % 10**8:08}"


def _encode(kept: Kept) -> bytes:
    raw = msgspec.json.encode(kept)
    return msgspec.json.encode(_File(FORMAT, VERSION, hashlib.sha256(raw).hexdigest(), msgspec.Raw(raw))) + b"\n"


def _decode(data: bytes, path: Path) -> Kept:
    if not data:
        raise RigError(f"token file {path}: expected a token file, found an empty file")
    try:
        file = msgspec.json.decode(data, type=_File)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise RigError(f"token file {path}: expected a token file, found something else; it is left as it is") from None
    if file.format != FORMAT or file.version != VERSION:
        found = f"{file.format[:40]!r} version {file.version}"
        raise RigError(f"token file {path}: expected {FORMAT!r} version {VERSION}, found {found}; it is left as it is")
    if hashlib.sha256(file.contents).hexdigest() != file.sha256:
        raise RigError(f"token file {path}: it is damaged (its checksum is another one); restore it from a copy")
    try:
        return msgspec.json.decode(file.contents, type=Kept)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RigError(f"token file {path}: it is damaged: {error}") from None
