"""A mail server for the tests: STARTTLS and a sign-in are required, what arrives is said as a line of JSON.

Called as `mail_server.py PORT CERTIFICATE KEY`; its first line is its port; it ends with its standard input.
"""

import asyncio
import email
import email.policy
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult


class Mailbox:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("refused@"):
            return "550 5.1.1 no such mailbox: " + address
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        part = lambda kind: mail.get_body((kind,)).get_content()
        print(
            json.dumps(
                {
                    "to": envelope.rcpt_tos,
                    "user": session.auth_data,
                    "tls": session.ssl is not None,
                    "subject": mail["subject"],
                    "id": mail["message-id"],
                    "automatic": mail["auto-submitted"],
                    "plain": part("plain"),
                    "html": part("html"),
                }
            ),
            flush=True,
        )
        return "250 taken"


def authenticate(server, session, envelope, mechanism, auth_data):
    login, password = auth_data.login.decode(), auth_data.password.decode()
    if password != "hunter2-mail":
        return AuthResult(success=False, handled=False)
    return AuthResult(success=True, auth_data=login)


port, certificate, key = int(sys.argv[1]), sys.argv[2], sys.argv[3]
tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
tls.load_cert_chain(certificate, key)


async def serve():
    loop = asyncio.get_running_loop()
    smtp = lambda: SMTP(
        Mailbox(),
        hostname="localhost",
        tls_context=tls,
        require_starttls=True,
        auth_required=True,
        authenticator=authenticate,
        loop=loop,
    )
    server = await loop.create_server(smtp, "127.0.0.1", port)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


asyncio.run(serve())
