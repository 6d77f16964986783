#pragma once
// Answers in the true wire shapes of OpenAI and Anthropic: whole, and as Server-Sent Events.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/answer.hpp"

namespace sluice::sim {

// The events of one stream in one buffer, in SSE form with their blank lines, each with the number of tokens
// that must exist before it may be sent.
class event_list {
public:
    // Everything appended to buffer() since the last close() is one event.
    std::string& buffer() { return bytes_; }
    void close(std::size_t after_tokens) { marks_.push_back({bytes_.size(), after_tokens}); }

    std::size_t size() const { return marks_.size(); }
    std::string_view event(std::size_t i) const {
        const std::size_t begin = i == 0 ? 0 : marks_[i - 1].end;
        return std::string_view(bytes_).substr(begin, marks_[i].end - begin);
    }
    std::size_t after_tokens(std::size_t i) const { return marks_[i].after_tokens; }
    std::string_view bytes() const { return bytes_; }

private:
    struct mark {
        std::size_t end;
        std::size_t after_tokens;
    };
    std::string bytes_;
    std::vector<mark> marks_;
};

void write_whole(std::string& out, const answer& a);
void write_events(event_list& out, const answer& a);

// Makes the events that carry text as long as `event_bytes` by changing the length of each word.
void fit_events(answer& a, std::size_t event_bytes);

// The body of an error in the shape that the endpoint's clients expect.
std::string error_body(shape as, int status, std::string_view message, std::string_view type = {},
                       std::string_view code = {}, std::string_view param = {});

// One shape each; write_whole and write_events choose.
void write_chat(std::string& out, const answer& a);
void write_chat_events(event_list& out, const answer& a);
void write_completion(std::string& out, const answer& a);
void write_completion_events(event_list& out, const answer& a);
void write_response(std::string& out, const answer& a);
void write_response_events(event_list& out, const answer& a);
void write_message(std::string& out, const answer& a);
void write_message_events(event_list& out, const answer& a);

}  // namespace sluice::sim
