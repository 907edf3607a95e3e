"""TLS by the service itself: its certificate, callers' certificates, and settings that would not work."""

from __future__ import annotations

import datetime as dt
import http.client
import select
import socket
import ssl
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from cds_service.errors import SettingsError
from cds_service.settings import Server, Settings
from cds_service.web import tls
from tests.web.test_server import Running, serving

NOW = dt.datetime.now(dt.UTC)


@dataclass
class Authority:
    """A certificate authority of our own, and the files of what it signed."""

    folder: Path
    name: str

    def __post_init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.name)])
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        self.certificate = (
            self._unsigned(self.subject, self.key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .sign(self.key, hashes.SHA256())
        )
        self.path = self.folder / f"{self.name}.pem"
        self.path.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def _unsigned(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - dt.timedelta(hours=1))
            .not_valid_after(NOW + dt.timedelta(hours=1))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
        )

    def issue(self, name: str, purpose: x509.ObjectIdentifier) -> tuple[Path, Path]:
        """The files of a certificate for this machine, and of its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        addresses = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))])
        certificate = (
            self._unsigned(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), key)
            .add_extension(addresses, critical=False)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
            .sign(self.key, hashes.SHA256())
        )
        cert_path, key_path = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        cert_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        form = serialization.PrivateFormat.PKCS8
        key_path.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
        return cert_path, key_path


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"), "hospital")


@pytest.fixture(scope="module")
def own(authority: Authority) -> tuple[Path, Path]:
    return authority.issue("service", ExtendedKeyUsageOID.SERVER_AUTH)


def settings(own: tuple[Path, Path], *more: str) -> tuple[str, ...]:
    return (f"SERVER__TLS_CERT={own[0]}", f"SERVER__TLS_KEY={own[1]}", *more)


def call(server: Running, context: ssl.SSLContext) -> int:
    connection = http.client.HTTPSConnection("127.0.0.1", server.port, timeout=60, context=context)
    try:
        connection.request("POST", "/cds-services/stub", b"{}", {"Content-Type": "application/json"})
        return connection.getresponse().status
    finally:
        connection.close()


def trusting(authority: Authority, *certificate: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(authority.path))
    if certificate:
        context.load_cert_chain(*certificate)
    return context


def test_the_service_speaks_tls(tmp_path: Path, authority: Authority, own: tuple[Path, Path]) -> None:
    """With its certificate, from TLS 1.2 on; plain HTTP gets no answer; a silent handshake holds up nobody."""
    with serving(tmp_path, *settings(own)) as server:
        assert call(server, trusting(authority)) == 200
        with pytest.raises(ssl.SSLCertVerificationError):
            call(server, ssl.create_default_context())
        with pytest.raises((http.client.HTTPException, OSError)):
            server.call()
        old = trusting(authority)
        with pytest.warns(DeprecationWarning, match="TLSv1"):
            old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
        with pytest.raises(ssl.SSLError):
            call(server, old)
        silent = [socket.create_connection(("127.0.0.1", server.port), 60) for _ in range(50)]
        assert call(server, trusting(authority)) == 200
        assert not select.select(silent, [], [], 0)[0]  # none of them has been given up yet
        for one in silent:
            one.close()
        assert "Traceback" not in server.log.read_text()


def test_callers_without_a_certificate_are_turned_away(
    tmp_path: Path, authority: Authority, own: tuple[Path, Path]
) -> None:
    """Mutual TLS: a certificate of the configured authorities, and of no other, opens the connection."""
    good = authority.issue("ehr", ExtendedKeyUsageOID.CLIENT_AUTH)
    other = Authority(tmp_path, "stranger").issue("stranger-ehr", ExtendedKeyUsageOID.CLIENT_AUTH)
    with serving(tmp_path, *settings(own, f"SERVER__CLIENT_CA={authority.path}")) as server:
        assert call(server, trusting(authority, *good)) == 200
        for context in (trusting(authority), trusting(authority, *other)):
            with pytest.raises((ssl.SSLError, OSError, http.client.HTTPException)):
                call(server, context)
        assert call(server, trusting(authority, *good)) == 200


def test_the_url_of_the_service_is_https(own: tuple[Path, Path]) -> None:
    """What tokens must name as their audience changes with the scheme."""
    made = Settings().with_("server", tls_cert=own[0], tls_key=own[1])
    assert made.base_url() == "https://127.0.0.1:8080"


def test_settings_that_cannot_work_are_refused(tmp_path: Path, authority: Authority, own: tuple[Path, Path]) -> None:
    """One sentence with the key to mend, before anything listens."""
    cert, key = own
    other_key = authority.issue("other", ExtendedKeyUsageOID.SERVER_AUTH)[1]
    empty = tmp_path / "empty.pem"
    empty.write_bytes(b"")
    wrong = [
        (Server(tls_cert=cert), "tls_cert and server.tls_key belong together"),
        (Server(tls_key=key), "tls_cert and server.tls_key belong together"),
        (Server(client_ca=authority.path), "client_ca needs server.tls_cert"),
        (Server(tls_cert=tmp_path / "none.pem", tls_key=key), "server.tls_cert: .* cannot be read"),
        (Server(tls_cert=cert, tls_key=other_key), "cannot be used. Give a PEM chain"),
        (Server(tls_cert=empty, tls_key=key), "cannot be used. Give a PEM chain"),
        (Server(tls_cert=cert, tls_key=key, client_ca=empty), "client_ca holds no certificate"),
    ]
    for server, words in wrong:
        with pytest.raises(SettingsError, match=words):
            tls.check(server)
    tls.check(Server())
    tls.check(Server(tls_cert=cert, tls_key=key, client_ca=authority.path))
