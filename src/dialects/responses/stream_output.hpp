// The output of an answer that is being streamed to a client: its items, their parts, and what was said so far. The
// events at the end of a part, of an item and of the response repeat everything.
#pragma once

#include "dialects/responses/output_items.hpp"

#include <sluice/answer.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace sluice::chat::responses {

inline constexpr std::size_t stream_bytes_max = std::size_t{16} << 20;  // texts kept of one stream

struct written_part {
    std::size_t item = 0;
    stream_step::part_type type = stream_step::part_type::text;
    bool summary = false;
    bool announced = false;  // its own .added event was written
    bool ended = false;
    std::size_t sub = 0;    // content_index
    std::string where;      // ,"item_id":"...","output_index":0,"content_index":0
    std::string text;       // JSON string without its closing quote
    std::string logprobs;   // entries with commas between
    std::string citations;  // array; may be empty
};

struct written_item {
    enum class kind : std::uint8_t { message, reasoning, function, custom, whole };
    kind what = kind::message;
    std::string id;             // JSON string
    std::string call_id, name;  // JSON strings: of calls
    std::vector<std::size_t> parts;
    bool accepts = true;   // a message: more texts may follow in it
    std::string rendered;  // once it is done
};

// How the events of a part are called (behind "response."), and what their texts are called in them.
struct part_terms {
    std::string_view delta, done, field;
};
const part_terms& terms_of(const written_part& p);
// Text or refusal: what stands in messages.
bool is_said(stream_step::part_type t);
bool is_call(stream_step::part_type t);

// What a part says, as the writers of items take it: views of `p`, `item` and `end`, which has the secrets.
part said_part(const written_part& p, const written_item& item, const stream_step& end);
// The object in a part's own events.
std::string part_object(const written_part& p, json text, json logprobs);
// ,"item_id":"...","output_index":0,"content_index":0
std::string place_of_part(const written_part& p, const written_item& item);

// Numbers the events of one stream. An event is: open(), members, close().
class event_numbers {
public:
    void open(std::string_view type, std::string& out);  // without "response."
    void open_error(std::string& out);                   // the one event outside of a response
    static void close(std::string& out) { out += "}\n\n"; }
    void item(std::string_view type, std::size_t index, std::string_view object, std::string& out);

private:
    std::size_t sequence_ = 0;
};

// Appends ,"key":value
void append_member(std::string_view key, std::string_view value, std::string& out);
// The same for what may hold line ends outside of strings, which would end a line of an event.
void append_flat(std::string_view key, std::string_view json, std::string& out);

}  // namespace sluice::chat::responses
