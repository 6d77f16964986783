#include "sim/wire.hpp"

#include "sim/json_out.hpp"

namespace sluice::sim {

void write_whole(std::string& out, const answer& a) {
    switch (a.as) {
        case shape::chat:
            return write_chat(out, a);
        case shape::completions:
            return write_completion(out, a);
        case shape::responses:
            return write_response(out, a);
        case shape::messages:
            return write_message(out, a);
    }
}

void write_events(event_list& out, const answer& a) {
    switch (a.as) {
        case shape::chat:
            return write_chat_events(out, a);
        case shape::completions:
            return write_completion_events(out, a);
        case shape::responses:
            return write_response_events(out, a);
        case shape::messages:
            return write_message_events(out, a);
    }
}

void fit_events(answer& a, std::size_t event_bytes) {
    answer probe = a;
    for (spoken_choice& c : probe.choices) {
        c.text = {};
        c.text.add("x");
    }
    event_list events;
    write_events(events, probe);
    std::size_t frame = 0;
    for (std::size_t i = 0; i < events.size(); ++i) {
        if (events.after_tokens(i) == 1 && events.event(i).find("\"x\"") != std::string_view::npos) {
            frame = events.event(i).size() - 1;
            break;
        }
    }
    const std::string word(event_bytes > frame ? event_bytes - frame : 1, 'x');
    for (spoken_choice& c : a.choices) {
        const std::size_t events_wanted = c.text.tokens();
        c.text = {};
        for (std::size_t k = 0; k < events_wanted; ++k) c.text.add(word);
    }
}

std::string error_body(shape as, int status, std::string_view message, std::string_view type, std::string_view code,
                       std::string_view param) {
    std::string out;
    if (as == shape::messages) {
        const std::string_view kind = status == 429   ? "rate_limit_error"
                                      : status == 529 ? "overloaded_error"
                                      : status >= 500 ? "api_error"
                                      : status == 404 ? "not_found_error"
                                                      : "invalid_request_error";
        put(out, R"({"type":"error","error":{"type":)", quoted{kind}, R"(,"message":)", quoted{message}, "}}");
        return out;
    }
    if (type.empty())
        type = status == 429 ? "rate_limit_error" : status >= 500 ? "server_error" : "invalid_request_error";
    const auto word_or_null = [&out](std::string_view word) {
        if (word.empty()) {
            out += "null";
        } else {
            put(out, quoted{word});
        }
    };
    put(out, R"({"error":{"message":)", quoted{message}, R"(,"type":)", quoted{type}, R"(,"param":)");
    word_or_null(param);
    put(out, R"(,"code":)");
    word_or_null(code);
    out += "}}";
    return out;
}

}  // namespace sluice::sim
