"""Calls that go wrong, over both wires: each ends in its wire's own error or close code, before the upgrade where it can,
and a call beside them does not notice. The keys of clients travel in every way there is but the address."""

import asyncio
import base64
import json
import os

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

HOST = os.environ["OPENAI_BASE_URL"].removesuffix("/v1").removeprefix("https://")
KEY = os.environ["OPENAI_API_KEY"]
HEADER = {"Authorization": f"Token {KEY}"}
REALTIME, AGENT = f"wss://{HOST}/v1/realtime", f"wss://{HOST}/v1/agent/converse"
SETTINGS = json.dumps({"type": "Settings", "agent": {}})


async def opened(url, **more):
    """A call. The place of the one before may be given back a moment after its goodbye."""
    for _ in range(100):
        try:
            return await connect(url, **more)
        except InvalidStatus as answer:
            assert answer.response.status_code in (429, 503), answer
            await asyncio.sleep(0.1)
    raise AssertionError("there is no place for a call")


async def refused(url, **more):
    """The status of a connection that must not open."""
    try:
        async with connect(url, **more):
            raise AssertionError(f"{url} opened")
    except InvalidStatus as answer:
        return answer.response.status_code


async def told(socket):
    """What the server says until it hangs up, and with which code."""
    said = []
    try:
        while True:
            message = await asyncio.wait_for(socket.recv(), 60)
            said.append({"type": "sound"} if isinstance(message, bytes) else json.loads(message))
    except ConnectionClosed as closed:
        return said, closed.rcvd.code if closed.rcvd else None


async def until(socket, kind):
    while True:
        message = await asyncio.wait_for(socket.recv(), 60)
        message = {"type": "sound"} if isinstance(message, bytes) else json.loads(message)
        if message["type"] == kind:
            return message


async def credentials():
    for url in (REALTIME, AGENT):
        assert await refused(url, additional_headers={"Authorization": "Token nonsense"}) == 401
        assert await refused(f"{url}?token={KEY}&api_key={KEY}&access_token={KEY}", subprotocols=["realtime"]) == 401
        assert await refused(url) == 401
        assert await refused(url, additional_headers=HEADER, origin="https://evil.example") == 403
    for url, offered, chosen in [
        (REALTIME, ["realtime", f"openai-insecure-api-key.{KEY}"], "realtime"),
        (AGENT, ["token", KEY], "token"),
        (AGENT, ["bearer", KEY], "bearer"),
    ]:
        async with await opened(url, subprotocols=offered) as socket:
            assert socket.subprotocol == chosen, socket.subprotocol


async def realtime():
    async with await opened(REALTIME, additional_headers=HEADER) as socket:
        await until(socket, "conversation.created")
        append = {"type": "input_audio_buffer.append", "audio": "not base64!"}
        half = {"type": "input_audio_buffer.append", "audio": base64.b64encode(bytes(3)).decode()}
        rate = {"audio": {"input": {"format": {"type": "audio/pcm", "rate": 11025}}}}
        for bad in (
            "hello", "[]", b"\0\1", json.dumps({"type": "unheard.of"}), json.dumps(append), json.dumps(half),
            json.dumps({"type": "session.update", "session": rate}), json.dumps({"type": "response.cancel"}),
        ):
            await socket.send(bad)
            error = await until(socket, "error")
            assert error["error"]["type"] == "invalid_request_error", error
        await socket.send(json.dumps({"type": "session.update", "session": {"type": "realtime"}}))
        await until(socket, "session.updated")
        await socket.send("x" * (10 << 20))
        assert (await told(socket))[1] == 1009


async def agent():
    for messages, code in [
        ([b"\0\0"], "NON_SETTINGS_MESSAGE_BEFORE_SETTINGS"),
        (["hello"], "UNPARSABLE_CLIENT_MESSAGE"),
        ([SETTINGS, SETTINGS], "SETTINGS_ALREADY_APPLIED"),
        ([SETTINGS, json.dumps({"type": "UnheardOf"})], "UNPARSABLE_CLIENT_MESSAGE"),
        ([json.dumps({"type": "Settings", "audio": {"input": {"encoding": "opus"}}, "agent": {}})], "INVALID_SETTINGS"),
        ([json.dumps({"type": "Settings", "agent": {"speak": {"provider": {}, "endpoint": {"url": "http://localhost"}}}})], "INVALID_SETTINGS"),
    ]:
        async with await opened(AGENT, additional_headers=HEADER) as socket:
            for message in messages:
                await socket.send(message)
            said, closed = await told(socket)
            assert closed == 1008 and said[-1]["type"] == "Error" and said[-1]["code"] == code, (said, closed)


async def too_fast():
    async with await opened(AGENT, additional_headers=HEADER) as socket:
        await socket.send(SETTINGS)
        await until(socket, "SettingsApplied")
        try:
            for _ in range(200):
                await socket.send(bytes(48_000))
        except ConnectionClosed:
            pass
        said, closed = await told(socket)
        assert closed == 1008, (said[-3:], closed)


async def main():
    async with await opened(REALTIME, additional_headers=HEADER) as beside:
        await until(beside, "session.created")
        await credentials()
        await realtime()
        await agent()
        await too_fast()
        # One that dies in the middle of a word.
        dying = await opened(AGENT, additional_headers=HEADER)
        await dying.send(SETTINGS)
        await dying.send(bytes(301))
        dying.transport.abort()
        await beside.send(json.dumps({"type": "session.update", "session": {"instructions": "Still here."}}))
        updated = await until(beside, "session.updated")
        assert updated["session"]["instructions"] == "Still here."
    print("the conversation is complete")


asyncio.run(main())
