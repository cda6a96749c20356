"""How allauth keeps the secrets of second factors here: encrypted, under our own keys."""

from allauth.mfa.adapter import DefaultMFAAdapter

from ledger.encryption import decrypt, encrypt


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Encrypts secrets and seeds before they are stored."""

    def encrypt(self, text: str) -> str:
        return encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        return decrypt(encrypted_text)

    def get_totp_issuer(self) -> str:
        return "Bursar"
