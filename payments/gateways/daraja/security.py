"""Proving who we are: the consumer's Basic header and the initiator's sealed password."""

import base64

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa


class UnusableCertificate(ValueError):
    """The provider's certificate is not a PEM certificate with an RSA key; enter it again."""


def basic_authorization(consumer_key: str, consumer_secret: str) -> str:
    pair = f"{consumer_key}:{consumer_secret}".encode()
    return "Basic " + base64.b64encode(pair).decode()


def security_credential(password: str, certificate_pem: str) -> str:
    """Seal the password for the gateway: base64(RSA PKCS#1 v1.5(the password's bytes alone)).

    Daraja's published algorithm; adding a timestamp, as one library does, gives 2001. Raises
    ``UnusableCertificate``.
    """
    key = public_key(certificate_pem)
    return base64.b64encode(key.encrypt(password.encode(), padding.PKCS1v15())).decode()


def public_key(certificate_pem: str) -> rsa.RSAPublicKey:
    """Return the certificate's RSA key; raise ``UnusableCertificate``."""
    try:
        key = x509.load_pem_x509_certificate(certificate_pem.encode()).public_key()
    except ValueError:
        raise UnusableCertificate("This is not a certificate in PEM form.") from None
    if not isinstance(key, rsa.RSAPublicKey):
        raise UnusableCertificate("The certificate's key is not an RSA key.")
    return key
