#include "scenario.hpp"

#include <algorithm>
#include <charconv>

namespace sluice::bench {
namespace {

constexpr std::string_view stamp_mark = "\"t=";
constexpr std::size_t stamp_digits = 19;

// Prose with the escapes that prose has, so that a JSON reader finds what it finds in real requests.
constexpr std::string_view prose =
    "The harbour was quiet when the pilot boat came in, and the keeper wrote \\\"wind west, sea calm\\\" into his "
    "book.\\nNobody on the quay had seen the other ship; the lamp on the mole had burned all night. ";

std::string text_of(std::size_t bytes) {
    std::string text;
    text.reserve(bytes);
    while (text.size() + prose.size() <= bytes) text += prose;
    text.append(bytes - text.size(), '.');  // never cuts an escape in two
    return text;
}

template <typename number>
void read_member(std::string_view text, std::string_view name, number& value) {
    const std::size_t at = text.find(name);
    if (at == std::string_view::npos) return;
    const char* first = text.data() + at + name.size();
    std::from_chars(first, text.data() + text.size(), value);
}

std::string as_chunk(std::string_view data) {
    char size[16];
    const auto [end, error] = std::to_chars(size, size + sizeof size, data.size(), 16);
    static_cast<void>(error);  // 16 digits hold any size
    std::string chunk(size, end);
    chunk += "\r\n";
    chunk += data;
    chunk += "\r\n";
    return chunk;
}

std::string delta_event(std::string_view content) {
    std::string event =
        R"(data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1700000000,"model":"bench-model",)"
        R"("choices":[{"index":0,"delta":{"content":")";
    event += content;
    event += "\"},\"finish_reason\":null}]}\n\n";
    return event;
}

}  // namespace

std::string stream_spec::text() const {
    return "events=" + std::to_string(events) + ",bytes=" + std::to_string(bytes) +
           ",gap_us=" + std::to_string(gap.count()) + ",idle=" + std::to_string(idle ? 1 : 0);
}

stream_spec parse_stream_spec(std::string_view text) {
    stream_spec spec;
    std::int64_t gap_us = 0;
    int idle = 0;
    read_member(text, "events=", spec.events);
    read_member(text, "bytes=", spec.bytes);
    read_member(text, "gap_us=", gap_us);
    read_member(text, "idle=", idle);
    spec.bytes = std::clamp<std::size_t>(spec.bytes, 1, 65'536);
    spec.gap = std::chrono::microseconds{std::max<std::int64_t>(gap_us, 0)};
    spec.idle = idle != 0;
    return spec;
}

namespace {

struct request_form {
    std::string_view path, streamed_path;
    std::string_view begin, streamed;  // of the body; `streamed` follows where a stream is wanted
    std::string_view before_text, behind_text;
};

constexpr request_form forms[] = {
    {"/v1/chat/completions", "/v1/chat/completions", R"({"model":"bench-model",)", R"("stream":true,)",
     R"("max_tokens":256,"temperature":0.7,"messages":[{"role":"system","content":"You are a helpful assistant."},)"
     R"({"role":"user","content":")",
     "\"}]}"},
    {"/v1/messages", "/v1/messages", R"({"model":"bench-model",)", R"("stream":true,)",
     R"("max_tokens":256,"temperature":0.7,"system":"You are a helpful assistant.",)"
     R"("messages":[{"role":"user","content":")",
     "\"}]}"},
    {"/v1beta/models/bench-model:generateContent", "/v1beta/models/bench-model:streamGenerateContent?alt=sse", "{", "",
     R"("generationConfig":{"maxOutputTokens":256,"temperature":0.7},)"
     R"("systemInstruction":{"parts":[{"text":"You are a helpful assistant."}]},)"
     R"("contents":[{"role":"user","parts":[{"text":")",
     "\"}]}]}"},
    {"/v1/responses", "/v1/responses", R"({"model":"bench-model",)", R"("stream":true,)",
     R"("max_output_tokens":256,"temperature":0.7,"instructions":"You are a helpful assistant.",)"
     R"("input":[{"role":"user","content":")",
     "\"}]}"},
};

}  // namespace

std::string model_request(wire w, std::size_t body_bytes, const std::optional<stream_spec>& stream) {
    const request_form& form = forms[static_cast<std::size_t>(w)];
    std::string body{form.begin};
    if (stream) body += form.streamed;
    // What passes untranslated can carry the wish itself; a translation knows no such field.
    if (stream && w == wire::chat) body += R"("user":")" + stream->text() + "\",";
    body += form.before_text;
    const std::size_t used = body.size() + form.behind_text.size();
    body += text_of(body_bytes > used ? body_bytes - used : 0);
    body += form.behind_text;
    std::string head = "POST ";
    head.append(stream ? form.streamed_path : form.path);
    head +=
        " HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: bench-load\r\nAccept: */*\r\nAuthorization: Bearer sk-bench\r\n";
    if (stream && w != wire::chat) head += "x-bench-stream: " + stream->text() + "\r\n";
    return head + "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
           body;
}

std::optional<stream_spec> wanted_stream(std::string_view body_start, std::string_view header) {
    if (!header.empty()) return parse_stream_spec(header);
    const std::size_t at = body_start.find("\"stream\"");
    if (at == std::string_view::npos) return std::nullopt;
    const std::size_t value = body_start.find_first_not_of(" :\t\r\n", at + 8);
    if (value == std::string_view::npos || !body_start.substr(value).starts_with("true")) return std::nullopt;
    return parse_stream_spec(body_start.substr(std::min(body_start.find("\"user\""), body_start.size())));
}

const std::string& chat_answer_body() {
    static const std::string body =
        R"({"id":"chatcmpl-bench","object":"chat.completion","created":1700000000,"model":"bench-model",)"
        R"("choices":[{"index":0,"message":{"role":"assistant","content":")" +
        text_of(330) +
        R"("},"finish_reason":"stop"}],)"
        R"("usage":{"prompt_tokens":230,"completion_tokens":70,"total_tokens":300}})"
        "\n";
    return body;
}

const std::string& chat_answer() {
    static const std::string answer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
                                      std::to_string(chat_answer_body().size()) + "\r\n\r\n" + chat_answer_body();
    return answer;
}

std::string_view stream_head() {
    return "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n"
           "Transfer-Encoding: chunked\r\n\r\n";
}

std::string_view stream_end() {
    static const std::string end =
        as_chunk(
            R"(data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1700000000,"model":"bench-model",)"
            R"("choices":[{"index":0,"delta":{},"finish_reason":"stop"}],)"
            R"("usage":{"prompt_tokens":230,"completion_tokens":70,"total_tokens":300}})"
            "\n\n") +
        as_chunk("data: [DONE]\n\n") + "0\r\n\r\n";
    return end;
}

stamped_event::stamped_event(std::size_t bytes) {
    const std::string content = "t=" + std::string(stamp_digits, '0');
    const std::size_t least = delta_event(content).size();
    const std::string filler = bytes > least ? text_of(bytes - least) : std::string{};
    chunk_ = as_chunk(delta_event(content + filler));
    stamp_ = chunk_.find(stamp_mark) + stamp_mark.size();
}

std::string_view stamped_event::at(std::int64_t time_ns) {
    for (std::size_t i = stamp_digits; i-- > 0; time_ns /= 10) {
        chunk_[stamp_ + i] = static_cast<char>('0' + time_ns % 10);
    }
    return chunk_;
}

namespace {

bool ends_stream(std::string_view event) {
    return event.ends_with("data: [DONE]") || event.starts_with("event: message_stop") ||
           event.starts_with("event: response.completed") ||
           event.find("\"finishReason\":\"STOP\"") != std::string_view::npos;
}

}  // namespace

std::optional<std::int64_t> event_counter::read(std::string_view event) {
    // Responses say every text again when it is whole.
    constexpr std::string_view of_responses = "event: response.";
    const bool again =
        event.starts_with(of_responses) && !event.substr(of_responses.size()).starts_with("output_text.delta");
    const std::size_t at = again ? std::string_view::npos : event.find(stamp_mark);
    if (at == std::string_view::npos) {
        done_ = done_ || ends_stream(event);
        return std::nullopt;
    }
    std::int64_t stamp = 0;
    const std::string_view digits = event.substr(at + stamp_mark.size(), stamp_digits);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), stamp);
    if (error != std::errc{} || end != digits.data() + stamp_digits) return std::nullopt;
    ++events_;
    return stamp;
}

}  // namespace sluice::bench
