"""Signatures in OpenSSH's format, and who may sign, so that stock `ssh-keygen -Y` agrees.

Formats: OpenSSH's PROTOCOL.sshsig (signatures), RFC 4251 §5 (strings), RFC 8709 (ed25519), RFC 8332 (RSA with
SHA-2), and ssh-keygen(1), "ALLOWED SIGNERS".
"""

from __future__ import annotations

import base64
import binascii
import calendar
import hashlib
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cdmeta.errors import KeyFileError
from cdmeta.phrase import Phrase

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ED25519 = "ssh-ed25519"
MIN_RSA_BITS = 2048

_MAGIC = b"SSHSIG"
_VERSION = (1).to_bytes(4, "big")
_BEGIN, _END = b"-----BEGIN SSH SIGNATURE-----\n", b"-----END SSH SIGNATURE-----\n"
_ARMOUR_COLUMNS = 70
_HASHES = {b"sha512": hashlib.sha512, b"sha256": hashlib.sha256}
# Kind of key → what it may sign with. `ssh-rsa` as a signature is SHA-1, and is never taken.
_ALGORITHMS = {ED25519: (ED25519,), "ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256")}


@dataclass(frozen=True)
class PublicKey:
    """A public key as OpenSSH holds it: its kind (`ssh-ed25519`) and its wire format (RFC 4253 §6.6)."""

    kind: str
    blob: bytes

    @property
    def fingerprint(self) -> str:
        """`SHA256:…`, as `ssh-keygen -l` shows it."""
        digest = hashlib.sha256(self.blob).digest()
        return f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}"

    @property
    def line(self) -> str:
        """Kind and key in base64, as in `.pub` and allowed-signers files."""
        return f"{self.kind} {base64.b64encode(self.blob).decode()}"


@dataclass(frozen=True)
class SigningKey:
    """An ed25519 private key; it never shows itself in a text."""

    public: PublicKey
    _private: Ed25519PrivateKey

    def __repr__(self) -> str:
        return f"SigningKey({self.public.fingerprint})"

    def to_bytes(self, passphrase: str | None = None) -> bytes:
        """The key in OpenSSH's private format, encrypted where there is a passphrase."""
        from cryptography.hazmat.primitives import serialization

        lock: serialization.KeySerializationEncryption = serialization.NoEncryption()
        if passphrase:
            lock = serialization.BestAvailableEncryption(passphrase.encode())
        return self._private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, lock)

    def sign(self, message: bytes, namespace: str) -> bytes:
        """The armoured signature of a message; the bytes that `ssh-keygen -Y sign -n NAMESPACE` writes."""
        value = self._private.sign(_signed(message, namespace.encode(), b"sha512"))
        parts = (self.public.blob, namespace.encode(), b"", b"sha512", _string(ED25519.encode()) + _string(value))
        return _armour(_MAGIC + _VERSION + b"".join(map(_string, parts)))


@dataclass(frozen=True)
class Signature:
    """A signature as it was read; whether it holds is for `fault` to tell."""

    key: PublicKey
    namespace: bytes
    hash: bytes
    algorithm: str
    value: bytes


@dataclass(frozen=True)
class AllowedSigner:
    """A line of an allowed-signers file.

    Attributes:
        line: its number, from 1.
        principals: pattern list of identities.
        key: the key.
        namespaces: pattern list of namespaces; None for all.
        valid_after, valid_before: seconds since 1970, both included; None where open.
    """

    line: int
    principals: str
    key: PublicKey
    namespaces: str | None = None
    valid_after: int | None = None
    valid_before: int | None = None

    def names(self, identity: str) -> bool:
        """Tell whether the line is for an identity."""
        return matches(identity, self.principals)

    def permits(self, namespace: str) -> bool:
        """Tell whether the line is for a namespace."""
        return self.namespaces is None or matches(namespace, self.namespaces)

    def valid_at(self, seconds: float) -> bool:
        """Tell whether the line is valid at a time."""
        after = self.valid_after is None or self.valid_after <= seconds
        return after and (self.valid_before is None or seconds <= self.valid_before)


@dataclass(frozen=True)
class UnusableLine:
    """A line of an allowed-signers file that allows nobody; `reason` is a key of the texts."""

    line: int
    reason: str


def new_key() -> SigningKey:
    """A new ed25519 key."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return _signing_key(Ed25519PrivateKey.generate())


def needs_passphrase(content: bytes) -> bool:
    """Tell whether a private key in OpenSSH's format is encrypted; False for what is none."""
    body = b"".join(line for line in content.splitlines() if not line.startswith(b"-----"))
    try:
        blob = base64.b64decode(body, validate=True)
        cipher, _ = _take(blob.removeprefix(b"openssh-key-v1\0"))
    except ValueError:
        return False
    return cipher != b"none"


def load_key(content: bytes, passphrase: str | None = None) -> SigningKey:
    """Read an ed25519 private key in OpenSSH's format.

    Raises:
        KeyFileError: it is no such key, or the passphrase is missing or wrong.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_ssh_private_key

    locked = needs_passphrase(content)
    if locked and not passphrase:
        raise KeyFileError(Phrase("error.key.locked"))
    try:
        key = load_ssh_private_key(content, passphrase.encode() if locked and passphrase else None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyFileError(Phrase("error.key.passphrase" if locked else "error.key.form")) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFileError(Phrase("error.key.kind"))
    return _signing_key(key)


def read_signature(armoured: bytes) -> Signature | None:
    """Read an armoured signature; None where it is none, to the letter.

    Every byte counts: another way to write the same signature is refused, so that no byte can be changed unseen.
    Line ends may be those of Windows.
    """
    blob = _dearmour(armoured.replace(b"\r\n", b"\n"))
    start = _MAGIC + _VERSION
    if blob is None or not blob.startswith(start):
        return None
    try:
        key, namespace, reserved, algorithm, inner = _strings(blob.removeprefix(start), 5)
        kind, _ = _take(key)
        signed_with, value = _strings(inner, 2)
        # What is reserved is not signed by ssh-keygen, so nothing may stand there.
        if reserved:
            return None
        public = PublicKey(kind.decode("ascii"), key)
        return Signature(public, namespace, algorithm, signed_with.decode("ascii"), value)
    except ValueError:
        return None


def fault(signature: Signature, message: bytes, namespace: str) -> str | None:
    """Why a signature does not hold for a message, as a key of the texts; None where it holds."""
    if signature.namespace != namespace.encode():
        return "signature-namespace"
    if signature.hash not in _HASHES:
        return "signature-hash"
    if signature.key.kind not in _ALGORITHMS:
        return "signature-kind"
    if signature.algorithm not in _ALGORITHMS[signature.key.kind]:
        return "signature-sha1" if signature.algorithm == "ssh-rsa" else "signature-kind"
    return _broken(signature, _signed(message, signature.namespace, signature.hash))


def parse_allowed_signers(content: str) -> tuple[tuple[AllowedSigner, ...], tuple[UnusableLine, ...]]:
    """Read an allowed-signers file: the lines that allow somebody, and those that cannot be used.

    Times without `Z` are in the time zone of this machine, as for ssh-keygen.
    """
    entries = []
    for number, line in enumerate(content.split("\n"), 1):
        stripped = line.strip(" \t\r")
        if stripped and not stripped.startswith("#"):
            entries.append(_allowed_signer(number, stripped))
    return (
        tuple(entry for entry in entries if isinstance(entry, AllowedSigner)),
        tuple(entry for entry in entries if isinstance(entry, UnusableLine)),
    )


def matches(value: str, patterns: str) -> bool:
    """Tell whether a value is in a pattern list (ssh_config(5), "PATTERNS"): `*`, `?`, and `!` for never."""
    found = False
    for pattern in patterns.split(","):
        if _pattern(pattern.removeprefix("!")).fullmatch(value):
            if pattern.startswith("!"):
                return False
            found = True
    return found


def _pattern(pattern: str) -> re.Pattern[str]:
    wild = {"*": ".*", "?": "."}
    merged = re.sub(r"\*+", "*", pattern)
    return re.compile("".join(wild.get(character, re.escape(character)) for character in merged), re.DOTALL)


_PRINCIPALS = re.compile(r'(?:"([^"]+)"|([^\s"]+))[ \t]+(.*)')
_QUOTED = r'"(?:\\"|[^"\\]|\\(?!"))*"'
_OPTIONS = re.compile(rf'((?:[^\s"]|{_QUOTED})+)[ \t]+(.*)')
_OPTION = re.compile(rf"([A-Za-z-]+)(?:=({_QUOTED}))?(?:,(?=.)|$)")
_KEY = re.compile(r"([A-Za-z0-9@.-]+)[ \t]+([A-Za-z0-9+/]+={0,2})(?:[ \t].*)?")
_TIME = re.compile(r"([0-9]{8}|[0-9]{12}|[0-9]{14})(Z|UTC)?", re.IGNORECASE)
_VALUED = ("namespaces", "valid-after", "valid-before")


def _allowed_signer(number: int, line: str) -> AllowedSigner | UnusableLine:
    try:
        principals, rest = _principals(line)
        key, given = _key(rest), ""
        if key is None and (split := _OPTIONS.fullmatch(rest)):
            given, key = split[1], _key(split[2])
        if key is None:
            return UnusableLine(number, "signer-line-key")
        options = dict(_options(given))
        if "cert-authority" in options:
            return UnusableLine(number, "signer-line-authority")
        after, before = (_seconds(options.get(name)) for name in ("valid-after", "valid-before"))
        if after is not None and before is not None and before <= after:
            return UnusableLine(number, "signer-line-times")
    except ValueError:
        return UnusableLine(number, "signer-line-options")
    return AllowedSigner(number, principals, key, options.get("namespaces"), after, before)


def _principals(line: str) -> tuple[str, str]:
    match = _PRINCIPALS.fullmatch(line)
    if match is None:
        raise ValueError(line)
    return match[1] or match[2], match[3]


def _key(text: str) -> PublicKey | None:
    match = _KEY.fullmatch(text)
    if match is None:
        return None
    try:
        blob = base64.b64decode(match[2], validate=True)
        kind, _ = _take(blob)
    except ValueError:
        return None
    return PublicKey(match[1], blob) if kind == match[1].encode() else None


def _options(given: str) -> Iterator[tuple[str, str]]:
    """Name and value of each option; raises ValueError for one that is unknown, ill-formed or there twice."""
    position, seen = 0, set()
    while position < len(given):
        match = _OPTION.match(given, position)
        if match is None:
            raise ValueError(given)
        name, quoted = match[1].lower(), match[2]
        if name in seen or name not in (*_VALUED, "cert-authority") or (quoted is None) == (name in _VALUED):
            raise ValueError(given)
        seen.add(name)
        position = match.end()
        yield name, (quoted or "")[1:-1].replace('\\"', '"')


def _seconds(text: str | None) -> int | None:
    if text is None:
        return None
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(text)
    parsed = time.strptime(match[1], "%Y%m%d%H%M%S"[: {8: 6, 12: 10, 14: 12}[len(match[1])]])
    try:
        return calendar.timegm(parsed) if match[2] else int(time.mktime(parsed))
    except OverflowError as error:
        raise ValueError(text) from error


def _signing_key(private: Ed25519PrivateKey) -> SigningKey:
    blob = _string(ED25519.encode()) + _string(private.public_key().public_bytes_raw())
    return SigningKey(PublicKey(ED25519, blob), private)


def _broken(signature: Signature, signed: bytes) -> str | None:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.serialization import load_ssh_public_key

    try:
        key = load_ssh_public_key(signature.key.line.encode())
        if isinstance(key, Ed25519PublicKey):
            key.verify(signature.value, signed)
        elif isinstance(key, RSAPublicKey) and key.key_size >= MIN_RSA_BITS:
            digest = hashes.SHA512() if signature.algorithm.endswith("512") else hashes.SHA256()
            key.verify(signature.value, signed, PKCS1v15(), digest)
        else:
            return "signature-weak"
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return "signature-broken"
    return None


def _signed(message: bytes, namespace: bytes, algorithm: bytes) -> bytes:
    """What is signed in place of the message (PROTOCOL.sshsig, "Signed Data")."""
    digest = _HASHES[algorithm](message).digest()
    return _MAGIC + b"".join(map(_string, (namespace, b"", algorithm, digest)))


def _armour(blob: bytes) -> bytes:
    text = base64.b64encode(blob)
    lines = [text[start : start + _ARMOUR_COLUMNS] + b"\n" for start in range(0, len(text), _ARMOUR_COLUMNS)]
    return _BEGIN + b"".join(lines) + _END


def _dearmour(armoured: bytes) -> bytes | None:
    body = armoured.removeprefix(_BEGIN).removesuffix(_END).replace(b"\n", b"")
    try:
        blob = base64.b64decode(body, validate=True)
    except binascii.Error:
        return None
    return blob if _armour(blob) == armoured else None


def _string(value: bytes) -> bytes:
    return len(value).to_bytes(4, "big") + value


def _take(data: bytes) -> tuple[bytes, bytes]:
    """The first string of some bytes, and what follows it; raises ValueError where there is none."""
    end = 4 + int.from_bytes(data[:4], "big")
    if len(data) < max(end, 4):
        raise ValueError("cut short")
    return data[4:end], data[end:]


def _strings(data: bytes, count: int) -> list[bytes]:
    """Exactly so many strings and nothing behind them; raises ValueError otherwise."""
    found = []
    for _ in range(count):
        value, data = _take(data)
        found.append(value)
    if data:
        raise ValueError("too long")
    return found
