"""The OpenAI SDK for Python through the gateway: openai_sdk.py BASE_URL KEY. Asserts, and prints one line."""
import asyncio
import base64
import io
import sys

import openai
import pydantic

BASE, KEY = sys.argv[1:3]
client = openai.OpenAI(base_url=BASE, api_key=KEY, max_retries=0, timeout=30)
SAY = [{"role": "user", "content": "Tell me about rivers."}]
TOOL = {"type": "function", "function": {"name": "get_weather", "description": "Weather of a city", "strict": True, "parameters": {
    "type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}, "required": ["city", "days"], "additionalProperties": False}}}
PNG = base64.b64encode(bytes.fromhex("89504e470d0a1a0a") + b"\0" * 64).decode()


class Event(pydantic.BaseModel):
    name: str
    attendees: list[str]


def plain():
    answer = client.chat.completions.create(model="m", messages=SAY, max_tokens=20)
    assert answer.choices[0].message.content and answer.choices[0].finish_reason == "length"
    assert answer.usage.completion_tokens == 20 and answer.usage.total_tokens > 20
    return answer.choices[0].message.content


def streamed(expected):
    stream = client.chat.completions.create(model="m", messages=SAY, max_tokens=20, stream=True)
    chunks = list(stream)
    assert "".join(c.choices[0].delta.content or "" for c in chunks) == expected
    assert all(c.usage is None for c in chunks), "usage that nobody asked for"
    counted = list(client.chat.completions.create(model="m", messages=SAY, max_tokens=20, stream=True, stream_options={"include_usage": True}))
    assert counted[-1].choices == [] and counted[-1].usage.completion_tokens == 20


def helper_stream():
    with client.chat.completions.stream(model="m", messages=SAY, max_tokens=20) as stream:
        kinds = {event.type for event in stream}
        final = stream.get_final_completion()
    assert {"chunk", "content.delta", "content.done"} <= kinds and final.choices[0].message.content


def tools():
    ask = [{"role": "user", "content": "call the tool"}]
    answer = client.chat.completions.create(model="m", messages=ask, tools=[TOOL])
    call = answer.choices[0].message.tool_calls[0]
    assert answer.choices[0].finish_reason == "tool_calls" and call.function.name == "get_weather"
    with client.chat.completions.stream(model="m", messages=ask, tools=[TOOL]) as stream:
        final = stream.get_final_completion()
    assert final.choices[0].message.tool_calls[0].function.arguments == call.function.arguments
    rest = ask + [answer.choices[0].message, {"role": "tool", "tool_call_id": call.id, "content": "sunny"}, SAY[0]]
    assert client.chat.completions.create(model="m", messages=rest, tools=[TOOL], tool_choice="none", max_tokens=5).choices[0].message.content


def structured():
    parsed = client.chat.completions.parse(model="m", messages=SAY, response_format=Event)
    assert isinstance(parsed.choices[0].message.parsed, Event)


def vision():
    content = [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}]
    answer = client.chat.completions.create(model="m", messages=[{"role": "user", "content": content}], max_tokens=5)
    assert answer.usage.prompt_tokens >= 256


def embeddings():
    floats = client.embeddings.create(model="m", input=["a river", "a mountain"], encoding_format="float")
    packed = client.embeddings.create(model="m", input=["a river", "a mountain"])
    assert len(floats.data) == 2
    assert all(abs(a - b) < 1e-6 for a, b in zip(floats.data[0].embedding, packed.data[0].embedding, strict=True))


def responses():
    answer = client.responses.create(model="m", input="Tell me about rivers.", max_output_tokens=20)
    assert answer.output_text and answer.usage.output_tokens == 20
    with client.responses.stream(model="m", input="Tell me about rivers.", max_output_tokens=20) as stream:
        kinds = [event.type for event in stream]
        assert stream.get_final_response().output_text == answer.output_text
    assert kinds[0] == "response.created" and kinds[-1] in ("response.completed", "response.incomplete")


def others():
    assert client.completions.create(model="m", prompt="Once", max_tokens=5).choices[0].text
    assert client.moderations.create(model="m", input="I will attack").results[0].flagged
    assert client.audio.transcriptions.create(model="m", file=("a.wav", io.BytesIO(b"RIFF" + b"\0" * 2000))).text
    assert client.audio.speech.create(model="m", voice="alloy", input="hello").read()
    assert client.images.generate(model="m", prompt="a river").data[0].b64_json


def errors():
    try:
        openai.OpenAI(base_url=BASE, api_key="sk-wrong", max_retries=0).chat.completions.create(model="m", messages=SAY)
        raise AssertionError("a wrong key was accepted")
    except openai.AuthenticationError as error:
        assert error.code == "invalid_api_key"
    try:
        client.chat.completions.create(model="no-such-model", messages=SAY)
        raise AssertionError("an unknown model was accepted")
    except openai.NotFoundError as error:
        assert error.code == "model_not_found"


def broken_stream():
    """An error inside a stream is an exception here, not a short answer."""
    try:
        list(client.chat.completions.create(model="m", messages=SAY, stream=True, extra_headers={"x-sim-fault": "die-event=3", "x-sim-tokens": "20"}))
        raise AssertionError("a broken stream looked whole")
    except openai.APIError:
        pass


async def abort():
    """Leaving a stream in its middle is quick and leaves the client usable."""
    async with openai.AsyncOpenAI(base_url=BASE, api_key=KEY, max_retries=0) as many:
        stream = await many.chat.completions.create(model="m", messages=SAY, stream=True, extra_headers={"x-sim-stream": "events=1000,gap=10ms"})
        seen = 0
        async for _ in stream:
            seen += 1
            if seen == 5:
                break
        await stream.close()
        answers = await asyncio.gather(*[many.chat.completions.create(model="m", messages=SAY, max_tokens=3) for _ in range(20)])
        assert all(a.choices[0].message.content for a in answers)


text = plain()
streamed(text)
for part in (helper_stream, tools, structured, vision, embeddings, responses, others, errors, broken_stream):
    part()
asyncio.run(abort())
print(f"openai {openai.__version__} for Python: ok")
