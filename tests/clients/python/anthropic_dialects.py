"""The Anthropic SDK for Python with models of every dialect."""
import anthropic
import pydantic

from dialect_cases import EVENT, ONE_CITY, PLAIN, SKIES, THOUGHT, THREE_CITIES, WEATHER, arguments, breaks, fails, run, same

BASE, KEY = arguments()
client = anthropic.Anthropic(base_url=BASE, api_key=KEY, max_retries=0, timeout=30)
TOOL = {"name": "get_weather", "description": "Weather of a city", "input_schema": WEATHER}
THINKING = {"type": "enabled", "budget_tokens": 1024}


class Event(pydantic.BaseModel):
    name: str
    attendees: list[str]


def ask(text):
    return {"system": "Be brief.", "max_tokens": 4096, "messages": [{"role": "user", "content": text}]}


def calls_of(message):
    return [(b.name, b.input) for b in message.content if b.type == "tool_use"]


def text_of(message):
    return "".join(b.text for b in message.content if b.type == "text")


def thought_of(message):
    return "".join(b.thinking for b in message.content if b.type == "thinking")


def messages(model):
    answer = client.messages.create(model=model, **ask("say something plain"), extra_body={"temperature": 0.5})
    same(text_of(answer), PLAIN)
    same((answer.type, answer.role, answer.stop_reason, answer.stop_sequence), ("message", "assistant", "end_turn", None))
    assert answer.id and answer.model
    same((answer.usage.input_tokens, answer.usage.output_tokens), (31, 17))


def messages_length(model):
    same(client.messages.create(model=model, **ask("say more than fits")).stop_reason, "max_tokens")


def messages_streamed(model):
    events = list(client.messages.create(model=model, **ask("say something plain"), stream=True))
    kinds = [e.type for e in events if e.type != "ping"]
    same((kinds[0], kinds[1], kinds[-3:]), ("message_start", "content_block_start", ["content_block_stop", "message_delta", "message_stop"]))
    deltas = [e.delta.text for e in events if e.type == "content_block_delta"]
    assert len(deltas) > 2, "in one piece"
    same("".join(deltas), PLAIN)


def messages_helper(model):
    with client.messages.stream(model=model, **ask("say something plain")) as stream:
        said = "".join(stream.text_stream)
        final = stream.get_final_message()
    same((said, text_of(final), final.stop_reason), (PLAIN, PLAIN, "end_turn"))


def messages_thinks(model):
    answer = client.messages.create(model=model, **ask("think first"), thinking=THINKING)
    same((thought_of(answer), text_of(answer)), (THOUGHT, "The Nile."))
    with client.messages.stream(model=model, **ask("think first"), thinking=THINKING) as stream:
        final = stream.get_final_message()
    same((thought_of(final), text_of(final)), (THOUGHT, "The Nile."))
    # What was thought goes back with the history, as the provider demands it.
    history = ask("think first")
    history["messages"] += [{"role": "assistant", "content": final.content}, {"role": "user", "content": "say something plain"}]
    same(text_of(client.messages.create(model=model, **history, thinking=THINKING)), PLAIN)


def messages_calls(model):
    """One call and its result, then three at once, which the SDK's own helper puts together."""
    one = ask("weather of one city")
    first = client.messages.create(model=model, **one, tools=[TOOL])
    same((first.stop_reason, calls_of(first)), ("tool_use", ONE_CITY))
    call = first.content[-1]
    one["messages"] += [{"role": "assistant", "content": first.content},
                        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call.id, "content": "sunny"}]}]
    same(text_of(client.messages.create(model=model, **one, tools=[TOOL])), "It is sunny in Bern.")

    three = ask("weather of three cities")
    with client.messages.stream(model=model, **three, tools=[TOOL]) as stream:
        final = stream.get_final_message()
    same((final.stop_reason, calls_of(final)), ("tool_use", THREE_CITIES))
    ids = [b.id for b in final.content if b.type == "tool_use"]
    same(len(set(ids)), 3)
    three["messages"] += [{"role": "assistant", "content": final.content},
                          {"role": "user", "content": [{"type": "tool_result", "tool_use_id": i, "content": [{"type": "text", "text": sky}]}
                                                       for i, sky in zip(ids, SKIES, strict=True)]}]
    same(text_of(client.messages.create(model=model, **three, tools=[TOOL])), "Sun, rain and snow.")


def messages_structured(model):
    same(client.messages.parse(model=model, **ask("an event as data"), output_format=Event).parsed_output.model_dump(), EVENT)


def messages_refused(model):
    limited = fails(anthropic.RateLimitError, lambda: client.messages.create(model=f"{model}-limited-1", **ask("too much")))
    same((limited.status_code, limited.response.headers["retry-after"]), (429, "7"))
    same((limited.body["type"], limited.body["error"]["type"]), ("error", "rate_limit_error"))
    assert "Slow down, please." in limited.body["error"]["message"], limited.body
    bad = fails(anthropic.BadRequestError, lambda: client.messages.create(model=model, **ask("too long"), stream=True))
    assert "more than the model can read" in bad.body["error"]["message"], bad.body
    missing = fails(anthropic.NotFoundError, lambda: client.messages.create(model=f"no-{model}", **ask("say something plain")))
    same((missing.body["type"], missing.body["error"]["type"]), ("error", "not_found_error"))


def messages_broken(model):
    breaks(lambda: client.messages.create(model=model, **ask("break off"), stream=True))


def count_tokens(model):
    counted = client.messages.count_tokens(model=model, system="Be brief.", messages=ask("say something plain")["messages"], tools=[TOOL])
    assert 0 < counted.input_tokens < 1000, counted


run(f"anthropic {anthropic.__version__}", messages, messages_length, messages_streamed, messages_helper, messages_thinks, messages_calls,
    messages_structured, messages_refused, messages_broken, count_tokens)
