"""A whole call with the released `deepgram-sdk` over the Agent wire: settings, sound, transcript, function, result,
spoken answer, interruption, text, end. And a token: it opens one call."""

import asyncio
import os

from deepgram import AsyncDeepgramClient
from deepgram.environment import DeepgramClientEnvironment

from whistle import Microphone

HOST = os.environ["OPENAI_BASE_URL"].removesuffix("/v1").removeprefix("https://")
ENVIRONMENT = DeepgramClientEnvironment(
    base=f"https://{HOST}", production=f"wss://{HOST}", agent=f"wss://{HOST}", agent_rest=f"https://{HOST}"
)
SETTINGS = {
    "type": "Settings",
    "audio": {
        "input": {"encoding": "linear16", "sample_rate": 16000},
        "output": {"encoding": "linear16", "sample_rate": 24000, "container": "none"},
    },
    "agent": {
        "greeting": "Hello there.",
        "listen": {"provider": {"type": "deepgram", "model": "nova-3"}},
        "think": {
            "provider": {"type": "open_ai", "model": "scripted"},
            "prompt": "Be brief.",
            "functions": [{"name": "order", "description": "Finds an order.", "parameters": {"type": "object"}}],
        },
        "speak": {"provider": {"type": "deepgram", "model": "aura-2-thalia-en"}},
    },
}


def kind(message):
    if isinstance(message, bytes):
        return "sound"
    return message["type"] if isinstance(message, dict) else message.type


async def until(socket, wanted, seen=None):
    """The next message of this kind; what came before it goes to `seen`."""
    while True:
        message = await asyncio.wait_for(socket.recv(), 60)
        assert kind(message) != "Error", message
        if seen is not None:
            seen.append(message)
        if kind(message) == wanted:
            return message


def said(seen, role):
    texts = [one for one in seen if kind(one) == "ConversationText" and one.role == role]
    return " ".join(one.content for one in texts)


async def converse(socket):
    await until(socket, "Welcome")
    await socket.send_raw(SETTINGS)
    await until(socket, "SettingsApplied")
    microphone = Microphone(16000, socket.send_media)
    # The first thing anybody hears is that an AI speaks; then it greets.
    seen = []
    await until(socket, "AgentAudioDone", seen)
    assert "AI" in said(seen, "assistant"), said(seen, "assistant")
    while "Hello there." not in said(seen, "assistant"):
        await until(socket, "AgentAudioDone", seen)
    assert any(kind(one) == "AgentStartedSpeaking" for one in seen) and any(kind(one) == "sound" for one in seen)

    microphone.say('call order {"number":7}')
    seen = []
    await until(socket, "UserStartedSpeaking")
    request = await until(socket, "FunctionCallRequest", seen)
    while "call order" not in said(seen, "user"):
        await until(socket, "ConversationText", seen)
    [call] = request.functions
    assert call.name == "order" and call.client_side and "7" in call.arguments, call
    result = {"type": "FunctionCallResponse", "id": call.id, "name": call.name, "content": "it is on its way"}
    await socket.send_raw(result)
    seen = []
    await until(socket, "AgentAudioDone", seen)
    assert "on its way" in said(seen, "assistant"), said(seen, "assistant")
    assert sum(len(one) for one in seen if kind(one) == "sound") > 24000

    microphone.say("slow 80")
    await until(socket, "AgentStartedSpeaking")
    microphone.say("please stop that now")
    await until(socket, "UserStartedSpeaking")
    seen = []
    await until(socket, "AgentAudioDone", seen)
    assert "please stop" in said(seen, "user") and "please stop" in said(seen, "assistant"), said(seen, "assistant")

    await socket.send_raw({"type": "UpdatePrompt", "prompt": "Be long."})
    await until(socket, "PromptUpdated")
    await socket.send_raw({"type": "InjectUserMessage", "content": "in writing"})
    seen = []
    await until(socket, "AgentAudioDone", seen)
    assert "in writing" in said(seen, "assistant"), said(seen, "assistant")
    microphone.close()


async def main():
    client = AsyncDeepgramClient(api_key=os.environ["OPENAI_API_KEY"], environment=ENVIRONMENT)
    async with client.agent.v1.connect() as socket:
        await converse(socket)
    granted = await client.auth.v1.tokens.grant(ttl_seconds=60)
    guest = AsyncDeepgramClient(access_token=granted.access_token, environment=ENVIRONMENT)
    async with guest.agent.v1.connect() as socket:
        await until(socket, "Welcome")
    try:
        async with guest.agent.v1.connect():
            raise AssertionError("the token opened a second call")
    except AssertionError:
        raise
    except Exception as refused:
        assert "401" in str(refused) or "invalid credentials" in str(refused).lower(), refused
    print("the conversation is complete")


asyncio.run(main())
