"""A bare Daraja client for testing the simulator itself, without our own gateway code."""

import base64
import uuid
from typing import Any

import httpx
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.simulator import Simulator

B2C = "/mpesa/b2c/v3/paymentrequest"
STATUS = "/mpesa/transactionstatus/v1/query"
BALANCE = "/mpesa/accountbalance/v1/query"
LEAVE_OUT = object()
PATIENCE_S = 60.0
# Less than what passes between two bytes of a reply that drips.
IMPATIENCE_S = 0.3


class Caller:
    """Builds good requests; a test changes one thing and sees what the simulator says."""

    def __init__(self, simulator: Simulator, callbacks: str = "http://127.0.0.1:9") -> None:
        self.simulator = simulator
        self.callbacks = callbacks
        self.identity = simulator.identity
        self.http = httpx.Client(
            base_url=simulator.url,
            timeout=PATIENCE_S,
            trust_env=False,
            limits=httpx.Limits(max_keepalive_connections=0),
        )
        self.token = ""

    def expect_silence(self, silent: bool) -> None:
        """Have a token, and from now on give up soon if no reply is expected."""
        self.login()
        read = IMPATIENCE_S if silent else PATIENCE_S
        self.http.timeout = httpx.Timeout(PATIENCE_S, read=read)

    def seal(self, password: str) -> str:
        certificate = x509.load_pem_x509_certificate(self.identity["certificate"].encode())
        key = certificate.public_key()
        assert isinstance(key, rsa.RSAPublicKey)
        return base64.b64encode(key.encrypt(password.encode(), padding.PKCS1v15())).decode()

    def login(self, **changed: str) -> httpx.Response:
        known = {**self.identity, **changed}
        pair = (known["consumer_key"], known["consumer_secret"])
        grant = changed.get("grant_type", "client_credentials")
        answer = self.http.get("/oauth/v1/generate", params={"grant_type": grant}, auth=pair)
        self.token = answer.json().get("access_token", "")
        return answer

    def post(self, path: str, body: dict[str, Any], token: str | None = None) -> httpx.Response:
        if not self.token:
            self.login()
        headers = {"Authorization": f"Bearer {self.token if token is None else token}"}
        sent = {name: value for name, value in body.items() if value is not LEAVE_OUT}
        return self.http.post(path, json=sent, headers=headers)

    def _common(self) -> dict[str, Any]:
        return {
            "SecurityCredential": self.seal(self.identity["initiator_password"]),
            "PartyA": self.identity["short_code"],
            "Remarks": "Petty cash",
            "QueueTimeOutURL": f"{self.callbacks}/sf/timeout/token1/",
            "ResultURL": f"{self.callbacks}/sf/result/token1/",
        }

    def b2c_body(self, **changed: Any) -> dict[str, Any]:
        return {
            "OriginatorConversationID": str(uuid.uuid4()),
            "InitiatorName": self.identity["initiator_name"],
            "CommandID": "BusinessPayment",
            "Amount": 100,
            "PartyB": "254712345678",
            "Occassion": "",
            **self._common(),
            **changed,
        }

    def status_body(self, key: str, **changed: Any) -> dict[str, Any]:
        return {
            "Initiator": self.identity["initiator_name"],
            "CommandID": "TransactionStatusQuery",
            "OriginalConversationID": key,
            "IdentifierType": "4",
            "Occasion": "",
            **self._common(),
            **changed,
        }

    def balance_body(self, **changed: Any) -> dict[str, Any]:
        return {
            "Initiator": self.identity["initiator_name"],
            "CommandID": "AccountBalance",
            "IdentifierType": "4",
            **self._common(),
            **changed,
        }

    def pay(self, key: str, **changed: Any) -> httpx.Response:
        return self.post(B2C, self.b2c_body(OriginatorConversationID=key, **changed))

    def ask(self, key: str, **changed: Any) -> httpx.Response:
        return self.post(STATUS, self.status_body(key, **changed))
