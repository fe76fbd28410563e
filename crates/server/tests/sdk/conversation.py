"""A conversation through the released `openai` package for Python. Run by ../sdk.rs."""

import json

import openai
from openai import OpenAI

client = OpenAI(max_retries=0, timeout=30)

models = [model.id for model in client.models.list()]
assert "scripted" in models, models
assert client.models.retrieve("scripted").owned_by == "Troth"

messages = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "hello from Python"},
]
answer = client.chat.completions.create(model="scripted", messages=messages)
assert "> hello from Python" in answer.choices[0].message.content
assert answer.choices[0].finish_reason == "stop"
assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
assert answer._request_id

messages += [answer.choices[0].message, {"role": "user", "content": "long 20"}]
text, usage = "", None
stream = client.chat.completions.create(
    model="scripted", messages=messages, stream=True, stream_options={"include_usage": True}
)
for chunk in stream:
    for choice in chunk.choices:
        text += choice.delta.content or ""
    usage = chunk.usage or usage
assert text.split() == [f"word{n}" for n in range(1, 21)], text
assert usage.completion_tokens == 20

tool = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}
messages = [{"role": "user", "content": 'call weather {"city": "Pune"}'}]
with client.chat.completions.stream(model="scripted", messages=messages, tools=[tool]) as stream:
    called = stream.get_final_completion().choices[0].message
[call] = called.tool_calls
assert json.loads(call.function.arguments) == {"city": "Pune"}
messages += [
    {"role": "assistant", "tool_calls": [call.model_dump(include={"id", "type", "function"})]},
    {"role": "tool", "tool_call_id": call.id, "content": "31 degrees"},
]
answer = client.chat.completions.create(model="scripted", messages=messages, tools=[tool])
assert answer.choices[0].message.content == "The tool said: 31 degrees"

[first, second] = client.embeddings.create(model="scripted", input=["a heron", "a heron"]).data
assert len(first.embedding) == 32 and first.embedding == second.embedding


def refused(kind, code, call):
    try:
        call()
    except kind as error:
        assert error.code == code, error.body
        return error
    raise AssertionError(f"{kind.__name__} was expected")


ask = [{"role": "user", "content": "hi"}]
refused(openai.NotFoundError, "model_not_found", lambda: client.chat.completions.create(model="gone", messages=ask))
refused(openai.NotFoundError, "model_not_found", lambda: client.embeddings.create(model="gone", input="x"))
error = refused(
    openai.BadRequestError, "invalid_value", lambda: client.chat.completions.create(model="scripted", messages=ask, n=2)
)
assert error.param == "n" and error.request_id
refused(openai.AuthenticationError, "invalid_api_key", lambda: client.with_options(api_key="troth_no").models.list())
failing = client.chat.completions.create(
    model="scripted", messages=[{"role": "user", "content": "fail-midstream"}], stream=True
)
refused(openai.APIError, "model_failed", lambda: list(failing))

print("the conversation is complete")
