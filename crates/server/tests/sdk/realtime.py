"""A whole call with the released `openai` SDK over the Realtime wire: session, sound, transcript, tool, result, spoken
answer, interruption, text, end. And a client secret: it opens one call."""

import asyncio
import base64

from openai import AsyncOpenAI, OpenAIError

from whistle import Microphone

TOOL = {
    "type": "function",
    "name": "order",
    "description": "Finds an order.",
    "parameters": {"type": "object", "properties": {"number": {"type": "integer"}}},
}
SESSION = {
    "type": "realtime",
    "instructions": "Be brief.",
    "tools": [TOOL],
    "audio": {
        "input": {
            "format": {"type": "audio/pcm", "rate": 24000},
            "transcription": {"model": "whisper-1"},
            "turn_detection": {"type": "server_vad", "silence_duration_ms": 300},
        },
        "output": {"format": {"type": "audio/pcm", "rate": 24000}, "voice": "marin"},
    },
}


async def until(connection, kind, seen=None):
    """The next event of this kind; what came before it goes to `seen`."""
    while True:
        event = await asyncio.wait_for(connection.recv(), 60)
        assert event.type != "error", event
        if seen is not None:
            seen.append(event)
        if event.type == kind:
            return event


def spoken(seen):
    return "".join(event.delta for event in seen if event.type == "response.output_audio_transcript.delta")


async def converse(connection):
    created = await until(connection, "session.created")
    assert created.session.model == "scripted", created
    await connection.session.update(session=SESSION)
    updated = await until(connection, "session.updated")
    assert updated.session.tools[0].name == "order"
    microphone = Microphone(
        24000, lambda piece: connection.input_audio_buffer.append(audio=base64.b64encode(piece).decode())
    )
    # The first thing anybody hears is that an AI speaks.
    seen = []
    await until(connection, "response.done", seen)
    assert any(event.type == "response.output_audio.delta" for event in seen) and spoken(seen)

    microphone.say('call order {"number":7}')
    await until(connection, "input_audio_buffer.speech_started")
    await until(connection, "input_audio_buffer.speech_stopped")
    await until(connection, "input_audio_buffer.committed")
    heard = await until(connection, "conversation.item.input_audio_transcription.completed")
    assert "call order" in heard.transcript, heard
    called = await until(connection, "response.function_call_arguments.done")
    assert called.name == "order" and "7" in called.arguments, called
    done = await until(connection, "response.done")
    assert done.response.status == "completed" and done.response.output[0].type == "function_call"

    result = {"type": "function_call_output", "call_id": called.call_id, "output": "it is on its way"}
    await connection.conversation.item.create(item=result)
    await connection.response.create(response={"metadata": {"mine": "7"}})
    seen = []
    done = await until(connection, "response.done", seen)
    assert "on its way" in spoken(seen), spoken(seen)
    sound = [event for event in seen if event.type == "response.output_audio.delta"]
    assert sum(len(base64.b64decode(event.delta)) for event in sound) > 24000
    assert done.response.metadata == {"mine": "7"} and done.response.usage.total_tokens > 0

    microphone.say("slow 80")
    first = await until(connection, "response.output_audio.delta")
    microphone.say("please stop that now")
    await until(connection, "input_audio_buffer.speech_started")
    done = await until(connection, "response.done")
    assert done.response.status == "cancelled", done.response
    assert done.response.status_details.reason == "turn_detected"
    await connection.conversation.item.truncate(item_id=first.item_id, content_index=0, audio_end_ms=100)
    await until(connection, "conversation.item.truncated")
    # What interrupted is answered.
    await until(connection, "response.done")

    words = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "in writing"}]}
    await connection.conversation.item.create(item=words)
    await until(connection, "conversation.item.done")
    await connection.response.create()
    seen = []
    await until(connection, "response.done", seen)
    assert "in writing" in spoken(seen), spoken(seen)
    microphone.close()


async def main():
    client = AsyncOpenAI()
    async with client.realtime.connect(model="scripted") as connection:
        await converse(connection)

    secret = await client.realtime.client_secrets.create(session={"type": "realtime", "instructions": "Be kind."})
    assert secret.value.startswith("ek_") and secret.session.instructions == "Be kind."
    guest = AsyncOpenAI(api_key=secret.value)
    async with guest.realtime.connect(model="scripted") as connection:
        created = await until(connection, "session.created")
        assert created.session.instructions == "Be kind.", created
    try:
        async with guest.realtime.connect(model="scripted"):
            raise AssertionError("the secret opened a second call")
    except Exception as refused:
        assert "401" in str(refused) or isinstance(refused, OpenAIError), refused
    print("the conversation is complete")


asyncio.run(main())
