"""Speech through the released `openai` and `deepgram-sdk` packages for Python. Run by ../sdk.rs."""

import json
import os
import re
import ssl
import time

import openai
import websockets.sync.client
from deepgram import DeepgramClient
from deepgram.environment import DeepgramClientEnvironment
from deepgram.speak.v1.types import SpeakV1Text
from openai import OpenAI
from websockets.exceptions import ConnectionClosed, InvalidStatus

EAR, VOICE, NAME = os.environ["SPEECH_EAR"], os.environ["SPEECH_VOICE"], os.environ["SPEECH_NAME"]
EXACT = EAR.startswith("scripted")
TEXT = "Your parcel left the warehouse this morning. It should arrive tomorrow at noon."
KEY, BASE = os.environ["OPENAI_API_KEY"], os.environ["OPENAI_BASE_URL"].removesuffix("/v1")
SOCKETS = BASE.replace("https:", "wss:")


def words(text):
    return re.findall(r"[a-z0-9]+", text.lower().replace("-", ""))


def errors(text, heard):
    """How many words are wrong: added, left out or another; and how many there are."""
    said, got = words(text), words(heard)
    row = list(range(len(got) + 1))
    for at, word in enumerate(said, 1):
        last, row[0] = row[0], at
        for to, other in enumerate(got, 1):
            last, row[to] = row[to], min(row[to] + 1, row[to - 1] + 1, last + (word != other))
    return row[-1], len(said)


def agree(heard):
    """Whether at most one word in ten is wrong."""
    wrong, count = errors(TEXT, heard)
    assert heard == TEXT if EXACT else wrong * 10 <= count, f"{wrong} of {count}: {heard}"
    print(f"{wrong} of {count} words wrong")


client = OpenAI(max_retries=0, timeout=120)
assert {EAR, VOICE} <= {model.id for model in client.models.list()}
with client.audio.speech.with_streaming_response.create(model=VOICE, voice=NAME, input=TEXT, response_format="wav") as spoken:
    assert spoken.headers["content-type"] == "audio/wav"
    sound = b"".join(spoken.iter_bytes())
assert sound[:4] == b"RIFF"
written = client.audio.transcriptions.create(model=EAR, file=("said.wav", sound))
agree(written.text)
assert written.usage.seconds >= 3
whole = client.audio.transcriptions.create(model=EAR, file=("said.wav", sound), response_format="verbose_json")
agree(whole.text)
assert whole.segments[-1].end <= whole.duration + 0.1
events = list(client.audio.transcriptions.create(model=EAR, file=("said.wav", sound), stream=True))
assert events[-1].type == "transcript.text.done"
agree("".join(event.delta for event in events if event.type == "transcript.text.delta"))
faster = client.audio.speech.create(model=VOICE, voice=NAME, input=TEXT, response_format="pcm", speed=1.5).read()
assert EXACT or len(faster) < 0.9 * len(sound), "it is faster"
for refused, kind, param in [
    ({"response_format": "mp3"}, openai.BadRequestError, "response_format"),
    ({"model": "tts-9"}, openai.NotFoundError, "model"),
]:
    try:
        client.audio.speech.create(**({"model": VOICE, "voice": NAME, "input": "a"} | refused))
        raise SystemExit(f"{refused} was taken")
    except kind as error:
        assert error.param == param, error

# Recorded speech, not spoken by us, and what people read out letter by letter.
if recording := os.environ.get("SPEECH_RECORDING"):
    with open(recording, "rb") as file:
        written = client.audio.transcriptions.create(model=EAR, file=("recorded.wav", file.read()))
    wrong, count = errors(os.environ["SPEECH_RECORDED"], written.text)
    print(f"recorded speech: {wrong} of {count} words wrong")
    assert wrong * 10 <= count, written.text
    for identifier in ["ORD-0089", "ORD-4417", "INV-2026-0031", "555-0142", "B7K 90210"]:
        sound = client.audio.speech.create(
            model=VOICE, voice=NAME, input=f"The number is {identifier}.", response_format="wav"
        ).read()
        written = client.audio.transcriptions.create(model=EAR, file=("number.wav", sound))
        print(f"{identifier}: {written.text}")
        spoken = {"zero": "0", "oh": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5"}
        spoken |= {"six": "6", "seven": "7", "eight": "8", "nine": "9"}
        digits = "".join(spoken.get(word, re.sub(r"\D", "", word)) for word in words(written.text))
        assert digits == re.sub(r"\D", "", identifier), f"{identifier}: {written.text}"

where = DeepgramClientEnvironment(base=BASE, production=SOCKETS, agent=SOCKETS, agent_rest=BASE)
deepgram = DeepgramClient(api_key=KEY, environment=where)
sound = b"".join(deepgram.speak.v1.audio.generate(text=TEXT, model="aura-2-thalia-en"))
heard = deepgram.listen.v1.media.transcribe_file(request=sound, model="nova-3", smart_format=True)
best = heard.results.channels[0].alternatives[0]
agree(best.transcript)
assert len(best.words) == len(best.transcript.split()) and best.words[-1].end <= heard.metadata.duration + 0.1

sound, kinds = b"", []
with deepgram.speak.v1.connect(model="aura-2-thalia-en", encoding="linear16", sample_rate=16000) as socket:
    for piece in re.findall(r"\S+\s*", TEXT):
        socket.send_text(SpeakV1Text(type="Speak", text=piece))
    socket.send_flush()
    while "Flushed" not in kinds:
        message = socket.recv()
        if isinstance(message, bytes):
            sound += message
        else:
            kinds.append(message.type)
    socket.send_close()
assert kinds == ["Metadata", "Flushed"], kinds

wishes = dict(model="nova-3", encoding="linear16", sample_rate=16000, interim_results=True, vad_events=True)
with deepgram.listen.v1.connect(**wishes, utterance_end_ms=1000, endpointing=500) as socket:
    for at in range(0, len(sound), 3200):
        socket.send_media(sound[at : at + 3200])
    socket.send_keep_alive()
    socket.send_media(bytes(2 * 16000 * 2))
    socket.send_finalize()
    socket.send_close_stream()
    got = []
    try:
        while True:
            got.append(socket.recv())
    except ConnectionClosed as closed:
        assert closed.rcvd.code == 1000, closed
kinds = [message.type for message in got]
results = [message for message in got if message.type == "Results"]
final = [message for message in results if message.is_final]
agree(" ".join(message.channel.alternatives[0].transcript for message in final).strip())
assert kinds[0] == "SpeechStarted" and kinds[-1] == "Metadata" and "UtteranceEnd" in kinds, kinds
assert any(not message.is_final for message in results) and any(message.speech_final for message in final)
assert any(message.from_finalize for message in final)


def open_raw(path, **more):
    trusted = ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"])
    headers = {"Authorization": f"Token {KEY}"} | more
    return websockets.sync.client.connect(SOCKETS + path, ssl=trusted, additional_headers=headers, max_size=None)


def ends(path, code, *sent):
    """What is said before the goodbye, and its code."""
    with open_raw(path) as socket:
        told = []
        try:
            for message in sent:
                socket.send(message)
            while True:
                told.append(socket.recv(timeout=30))
        except ConnectionClosed as closed:
            assert closed.rcvd and closed.rcvd.code == code, (path, closed)
    return [json.loads(message) for message in told if isinstance(message, str)]


LISTEN, SPEAK = "/v1/listen?encoding=linear16&sample_rate=16000", "/v1/speak?encoding=mulaw&sample_rate=8000"
assert ends(LISTEN, 1008, "hello")[-1]["type"] == "Error", "text where sound belongs"
assert ends(LISTEN, 1008, json.dumps({"type": "Shout"}))[-1]["type"] == "Error"
assert ends("/v1/listen", 1008, b"no head of any file we know")[-1]["type"] == "Error"
ends(LISTEN, 1009, bytes((1 << 20) + 1))
with open_raw(LISTEN) as huge:
    try:
        # Cut before it is all here, so that its goodbye may be lost on the way.
        huge.send(bytes(10 << 20))
        huge.recv(timeout=30)
        raise SystemExit("ten megabytes were taken")
    except ConnectionClosed as closed:
        assert closed.rcvd is None or closed.rcvd.code == 1009, closed
assert ends(LISTEN, 1000, b"\0", b"", b"after the end")[-1]["type"] == "Metadata", "an odd length, and the end"
assert ends(SPEAK, 1003, b"\0\0")[-1]["type"] == "Error", "sound where text belongs"
assert ends(SPEAK, 1008, "{")[-1]["type"] == "Error"
assert ends(SPEAK, 1009, json.dumps({"type": "Speak", "text": "a" * 9000}))[-1]["type"] == "Error"
cleared = ends(SPEAK, 1000, json.dumps({"type": "Speak", "text": "half"}), json.dumps({"type": "Clear"}), json.dumps({"type": "Close"}))
assert [message["type"] for message in cleared] == ["Metadata", "Cleared"], cleared
for path, more, status in [
    ("/v1/listen?encoding=opus", {}, 400),
    ("/v1/listen?channels=2", {}, 400),
    ("/v1/listen?redact=pci", {}, 400),
    (LISTEN, {"Authorization": "Token troth_nobody"}, 401),
    (LISTEN, {"Origin": "https://evil.example"}, 403),
]:
    try:
        open_raw(path, **more)
        raise SystemExit(f"{path} was opened")
    except InvalidStatus as refused:
        assert refused.response.status_code == status, (path, refused)

# A client that dies in the middle of a word, and one that never reads: others do not notice.
with open_raw(LISTEN) as dying:
    dying.send(sound[:8000])
    dying.socket.close()
with open_raw(SPEAK) as deaf:
    for _ in range(20):
        deaf.send(json.dumps({"type": "Speak", "text": TEXT + " "}))
    began = time.monotonic()
    agree(client.audio.transcriptions.create(model=EAR, file=("said.wav", b"".join(deepgram.speak.v1.audio.generate(text=TEXT)))).text)
    assert time.monotonic() - began < 60
    deaf.socket.close()

print("the conversation is complete")
