"""The Google Gen AI SDK for Python with models of every dialect."""
import google.genai
import pydantic
from google.genai import errors, types

from dialect_cases import EVENT, ONE_CITY, PLAIN, SKIES, THOUGHT, THREE_CITIES, VECTOR, WEATHER, arguments, breaks, fails, run, same

BASE, KEY = arguments()
client = google.genai.Client(api_key=KEY, http_options=types.HttpOptions(base_url=BASE, timeout=30_000))
models = client.models
TOOL = types.Tool(function_declarations=[types.FunctionDeclaration(name="get_weather", description="Weather of a city", parameters_json_schema=WEATHER)])
THINKING = types.ThinkingConfig(include_thoughts=True, thinking_budget=1024)
GOOGLES = ("gemini", "vertex")  # whose errors pass as the mock wrote them


class Event(pydantic.BaseModel):
    name: str
    attendees: list[str]


def config(**more):
    return types.GenerateContentConfig(system_instruction="Be brief.", **more)


def with_tools():
    return config(tools=[TOOL], automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True))


def calls_of(answer):
    return [(c.name, c.args) for c in answer.function_calls or []]


def thought_of(answer):
    return "".join(p.text for p in answer.candidates[0].content.parts if p.thought)


def generate(model):
    answer = models.generate_content(model=model, contents="say something plain", config=config(temperature=0.5, top_k=20, max_output_tokens=100))
    same((answer.text, answer.candidates[0].finish_reason, answer.candidates[0].content.role), (PLAIN, types.FinishReason.STOP, "model"))
    usage = answer.usage_metadata
    same((usage.prompt_token_count, usage.candidates_token_count, usage.total_token_count), (31, 17, 48))


def generate_length(model):
    answer = models.generate_content(model=model, contents="say more than fits", config=config())
    same(answer.candidates[0].finish_reason, types.FinishReason.MAX_TOKENS)


def generate_streamed(model):
    chunks = list(models.generate_content_stream(model=model, contents="say something plain", config=config()))
    assert len(chunks) > 2, "in one piece"
    same("".join(c.text or "" for c in chunks), PLAIN)
    same([c.candidates[0].finish_reason for c in chunks if c.candidates and c.candidates[0].finish_reason], [types.FinishReason.STOP])


def generate_thinks(model):
    answer = models.generate_content(model=model, contents="think first", config=config(thinking_config=THINKING))
    same((thought_of(answer), answer.text), (THOUGHT, "The Nile."))
    chunks = list(models.generate_content_stream(model=model, contents="think first", config=config(thinking_config=THINKING)))
    same("".join(thought_of(c) for c in chunks if c.candidates and c.candidates[0].content and c.candidates[0].content.parts), THOUGHT)


def generate_chat(model):
    """The SDK keeps the history."""
    chat = client.chats.create(model=model, config=config())
    same(chat.send_message("think first").text, "The Nile.")
    same("".join(c.text or "" for c in chat.send_message_stream("say something plain")), PLAIN)


def generate_calls(model):
    history = [types.UserContent("weather of one city")]
    first = models.generate_content(model=model, contents=history, config=with_tools())
    same(calls_of(first), ONE_CITY)
    history += [first.candidates[0].content, types.UserContent(types.Part.from_function_response(name="get_weather", response={"result": "sunny"}))]
    same(models.generate_content(model=model, contents=history, config=with_tools()).text, "It is sunny in Bern.")

    history = [types.UserContent("weather of three cities")]
    chunks = list(models.generate_content_stream(model=model, contents=history, config=with_tools()))
    same([c for chunk in chunks for c in calls_of(chunk)], THREE_CITIES)
    history += [types.ModelContent([p for c in chunks if c.candidates[0].content for p in c.candidates[0].content.parts or []]),
                types.UserContent([types.Part.from_function_response(name="get_weather", response={"result": sky}) for sky in SKIES])]
    same(models.generate_content(model=model, contents=history, config=with_tools()).text, "Sun, rain and snow.")


def generate_automatic_calls(model):
    """The SDK calls the function itself and goes on until there is text."""
    asked = []

    def get_weather(city: str, days: int) -> str:
        """Weather of a city."""
        asked.append((city, days))
        return SKIES[len(asked) - 1]

    answer = models.generate_content(model=model, contents="weather of three cities", config=config(tools=[get_weather]))
    same((answer.text, asked), ("Sun, rain and snow.", [(a["city"], a["days"]) for _, a in THREE_CITIES]))


def generate_structured(model):
    answer = models.generate_content(model=model, contents="an event as data", config=config(response_mime_type="application/json", response_schema=Event))
    same(answer.parsed.model_dump(), EVENT)


def generate_refused(model):
    limited = fails(errors.ClientError, lambda: models.generate_content(model=f"{model}-limited-1", contents="too much"))
    same((limited.code, limited.response.headers["retry-after"]), (429, "7"))
    if model not in GOOGLES:
        same(limited.status, "RESOURCE_EXHAUSTED")
    assert "Slow down, please." in limited.message, limited.message
    bad = fails(errors.ClientError, lambda: list(models.generate_content_stream(model=model, contents="too long")))
    same(bad.code, 400)
    if model not in GOOGLES:
        same(bad.status, "INVALID_ARGUMENT")
    missing = fails(errors.ClientError, lambda: models.generate_content(model=f"no-{model}", contents="say something plain"))
    same((missing.code, missing.status), (404, "NOT_FOUND"))


def generate_broken(model):
    breaks(lambda: models.generate_content_stream(model=model, contents="break off"))


def count_tokens(model):
    counted = models.count_tokens(model=model, contents="say something plain")
    assert 0 < counted.total_tokens < 1000, counted


def embed(model):
    same([e.values for e in models.embed_content(model=model, contents=[types.UserContent("a river"), types.UserContent("a river")]).embeddings], [VECTOR, VECTOR])


run(f"google-genai {google.genai.__version__}", generate, generate_length, generate_streamed, generate_thinks, generate_chat, generate_calls,
    generate_automatic_calls, generate_structured, generate_refused, generate_broken, count_tokens, embed)
