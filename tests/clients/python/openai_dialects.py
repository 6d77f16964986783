"""The OpenAI SDK for Python, its chat completions and responses, with models of every dialect."""
import json

import openai
import pydantic

from dialect_cases import EVENT, ONE_CITY, PLAIN, SKIES, THOUGHT, THREE_CITIES, VECTOR, WEATHER, arguments, breaks, fails, run, same

BASE, KEY = arguments()
client = openai.OpenAI(base_url=f"{BASE}/v1", api_key=KEY, max_retries=0, timeout=30)
TOOL = {"type": "function", "function": {"name": "get_weather", "description": "Weather of a city", "strict": True, "parameters": WEATHER}}
RESPONSES_TOOL = {"type": "function", "name": "get_weather", "description": "Weather of a city", "strict": True, "parameters": WEATHER}


class Event(pydantic.BaseModel):
    name: str
    attendees: list[str]


def ask(text):
    return [{"role": "system", "content": "Be brief."}, {"role": "user", "content": text}]


def calls_of(message):
    return [(c.function.name, json.loads(c.function.arguments)) for c in message.tool_calls]


# --- chat completions -----------------------------------------------------------------------------------------------


def chat(model):
    answer = client.chat.completions.create(model=model, messages=ask("say something plain"), max_completion_tokens=100, temperature=0.5)
    same(answer.choices[0].message.content, PLAIN)
    same((answer.object, answer.model, answer.choices[0].finish_reason), ("chat.completion", answer.model, "stop"))
    assert answer.id and answer.created > 1_600_000_000
    same((answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens), (31, 17, 48))


def chat_length(model):
    same(client.chat.completions.create(model=model, messages=ask("say more than fits"), max_tokens=5).choices[0].finish_reason, "length")


def chat_streamed(model):
    chunks = list(client.chat.completions.create(model=model, messages=ask("say something plain"), stream=True))
    assert len(chunks) > 4, "in one piece"
    same("".join(c.choices[0].delta.content or "" for c in chunks), PLAIN)
    same(chunks[0].choices[0].delta.role, "assistant")
    same([c.choices[0].finish_reason for c in chunks if c.choices[0].finish_reason], ["stop"])
    assert all(c.usage is None for c in chunks), "usage that nobody asked for"
    same(len({(c.id, c.model, c.object) for c in chunks}), 1)


def chat_helper(model):
    with client.chat.completions.stream(model=model, messages=ask("say something plain"), stream_options={"include_usage": True}) as stream:
        kinds = {event.type for event in stream}
        final = stream.get_final_completion()
    assert {"chunk", "content.delta", "content.done"} <= kinds, kinds
    same(final.choices[0].message.content, PLAIN)
    assert final.usage and final.usage.completion_tokens is not None


def chat_thinks(model):
    answer = client.chat.completions.create(model=model, messages=ask("think first"), reasoning_effort="low")
    same(answer.choices[0].message.content, "The Nile.")
    same(answer.choices[0].message.reasoning_content, THOUGHT)
    chunks = list(client.chat.completions.create(model=model, messages=ask("think first"), reasoning_effort="low", stream=True))
    same("".join(getattr(c.choices[0].delta, "reasoning_content", None) or "" for c in chunks), THOUGHT)


def chat_calls(model):
    """One call and its result, then three at once, which the SDK's own helper puts together."""
    messages = ask("weather of one city")
    first = client.chat.completions.create(model=model, messages=messages, tools=[TOOL])
    same((first.choices[0].finish_reason, calls_of(first.choices[0].message)), ("tool_calls", ONE_CITY))
    call = first.choices[0].message.tool_calls[0]
    messages += [first.choices[0].message, {"role": "tool", "tool_call_id": call.id, "content": "sunny"}]
    same(client.chat.completions.create(model=model, messages=messages, tools=[TOOL]).choices[0].message.content, "It is sunny in Bern.")

    messages = ask("weather of three cities")
    with client.chat.completions.stream(model=model, messages=messages, tools=[TOOL]) as stream:
        final = stream.get_final_completion().choices[0]
    same((final.finish_reason, calls_of(final.message)), ("tool_calls", THREE_CITIES))
    same(len({c.id for c in final.message.tool_calls}), 3)
    messages += [{"role": "assistant", "tool_calls": [c.model_dump(include={"id": True, "type": True, "function": {"name", "arguments"}}) for c in final.message.tool_calls]}]
    messages += [{"role": "tool", "tool_call_id": c.id, "content": sky} for c, sky in zip(final.message.tool_calls, SKIES, strict=True)]
    same(client.chat.completions.create(model=model, messages=messages, tools=[TOOL]).choices[0].message.content, "Sun, rain and snow.")


def chat_structured(model):
    parsed = client.chat.completions.parse(model=model, messages=ask("an event as data"), response_format=Event)
    same(parsed.choices[0].message.parsed.model_dump(), EVENT)


def chat_refused(model):
    limited = fails(openai.RateLimitError, lambda: client.chat.completions.create(model=f"{model}-limited-1", messages=ask("too much")))
    same((limited.status_code, limited.response.headers["retry-after"]), (429, "7"))
    assert "Slow down, please." in limited.message, limited.message
    bad = fails(openai.BadRequestError, lambda: client.chat.completions.create(model=model, messages=ask("too long"), stream=True))
    assert "more than the model can read" in bad.message, bad.message


def chat_broken(model):
    breaks(lambda: client.chat.completions.create(model=model, messages=ask("break off"), stream=True))


# --- responses ------------------------------------------------------------------------------------------------------


def responses(model):
    answer = client.responses.create(model=model, instructions="Be brief.", input="say something plain", max_output_tokens=100, store=False)
    same((answer.output_text, answer.status, answer.error), (PLAIN, "completed", None))
    same((answer.usage.input_tokens, answer.usage.output_tokens, answer.usage.total_tokens), (31, 17, 48))


def responses_streamed(model):
    with client.responses.stream(model=model, input="say something plain", store=False) as stream:
        events = list(stream)
        final = stream.get_final_response()
    same((events[0].type, events[-1].type), ("response.created", "response.completed"))
    same("".join(e.delta for e in events if e.type == "response.output_text.delta"), PLAIN)
    numbers = [e.sequence_number for e in events if getattr(e, "sequence_number", None) is not None]  # the mock gives none
    same(numbers, sorted(set(numbers)))
    same(final.output_text, PLAIN)


def responses_thinks(model):
    answer = client.responses.create(model=model, input="think first", reasoning={"effort": "low", "summary": "auto"}, store=False)
    same(answer.output_text, "The Nile.")
    same("".join(s.text for o in answer.output if o.type == "reasoning" for s in o.summary), THOUGHT)
    with client.responses.stream(model=model, input="think first", reasoning={"effort": "low", "summary": "auto"}, store=False) as stream:
        said = "".join(e.delta for e in stream if e.type == "response.reasoning_summary_text.delta")
    same(said, THOUGHT)


def responses_calls(model):
    def of(answer):
        return [o for o in answer.output if o.type == "function_call"]

    history = [{"role": "user", "content": "weather of one city"}]
    first = client.responses.create(model=model, input=history, tools=[RESPONSES_TOOL], store=False)
    same([(c.name, json.loads(c.arguments)) for c in of(first)], ONE_CITY)
    history += [o.model_dump(exclude_none=True) for o in first.output]
    history += [{"type": "function_call_output", "call_id": of(first)[0].call_id, "output": "sunny"}]
    same(client.responses.create(model=model, input=history, tools=[RESPONSES_TOOL], store=False).output_text, "It is sunny in Bern.")

    history = [{"role": "user", "content": "weather of three cities"}]
    with client.responses.stream(model=model, input=history, tools=[RESPONSES_TOOL], store=False) as stream:
        list(stream)
        final = stream.get_final_response()
    same([(c.name, json.loads(c.arguments)) for c in of(final)], THREE_CITIES)
    history += [{"type": "function_call", "call_id": c.call_id, "name": c.name, "arguments": c.arguments} for c in of(final)]
    history += [{"type": "function_call_output", "call_id": c.call_id, "output": sky} for c, sky in zip(of(final), SKIES, strict=True)]
    same(client.responses.create(model=model, input=history, tools=[RESPONSES_TOOL], store=False).output_text, "Sun, rain and snow.")


def responses_structured(model):
    same(client.responses.parse(model=model, input="an event as data", text_format=Event, store=False).output_parsed.model_dump(), EVENT)


def responses_refused(model):
    limited = fails(openai.RateLimitError, lambda: client.responses.create(model=f"{model}-limited-2", input="too much", store=False))
    same(limited.response.headers["retry-after"], "7")


def responses_broken(model):
    def stream():
        with client.responses.stream(model=model, input="break off", store=False) as events:
            yield from events
            events.get_final_response()

    breaks(stream)


def embeddings(model):
    floats = client.embeddings.create(model=model, input=["a river", "a river"], encoding_format="float")
    same([d.embedding for d in floats.data], [VECTOR, VECTOR])


def embeddings_packed(model):
    """What the SDK asks for by itself: base64."""
    same(client.embeddings.create(model=model, input="a river").data[0].embedding, VECTOR)


run(f"openai {openai.__version__}", chat, chat_length, chat_streamed, chat_helper, chat_thinks, chat_calls, chat_structured, chat_refused, chat_broken,
    responses, responses_streamed, responses_thinks, responses_calls, responses_structured, responses_refused, responses_broken, embeddings, embeddings_packed)
