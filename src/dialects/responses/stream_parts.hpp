// The parts of a response that is coming in, and the steps that they make: which are open, and what of their texts was
// passed on, so that what went missing can be told from what is there.
#pragma once

#include "dialects/values.hpp"

#include <sluice/answer.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::chat::responses {

// Parts of one answer, and items: each new one is looked for among all before.
inline constexpr std::int64_t stream_parts_max = 4096;

// A text that was passed on in pieces: enough to tell whether another text begins with it.
class told_text {
public:
    void add(json piece);  // string
    bool empty() const { return bytes_ == 0; }

    enum class verdict : std::uint8_t { same, more, other };
    // How `whole` (string) goes on from what was told; `rest` (unescaped) is what is missing.
    verdict compare(json whole, std::string& rest) const;

private:
    std::uint64_t hash_ = 0xcbf29ce484222325;
    std::size_t bytes_ = 0;
};

struct streamed_part {
    std::int64_t item = 0;  // output_index
    std::int64_t sub = 0;   // content_index or summary_index
    std::int32_t number = 0;
    stream_step::part_type type = stream_step::part_type::text;
    bool summary = false;
    bool ended = false;
    told_text told;
};

class part_steps {
public:
    using kind = stream_step::kind;
    using part_type = stream_step::part_type;

    // Steps are appended to `out` from here on.
    void begin(std::vector<stream_step>& out) { out_ = &out; }

    // A new step; before the first one of an answer comes a start. Valid until the next step.
    stream_step& step(kind what);
    stream_step& last() { return out_->back(); }
    bool started() const { return started_; }
    bool any_call() const;

    // nullptr: there is none. Pointers are valid until the next part starts.
    streamed_part* find(std::int64_t item, part_type type, bool summary, std::int64_t sub);
    streamed_part* open_thought(std::int64_t item);

    // nullptr: there are too many.
    streamed_part* start(std::int64_t item, part_type type, bool summary, std::int64_t sub);
    // One text of a reasoning item ends where the next begins.
    streamed_part* start_thought(std::int64_t item, bool summary, std::int64_t sub);
    // Start and end of a part that comes in one piece. False: there are too many.
    bool put_whole(const part& whole);

    void tell(streamed_part& p, json text);
    // Makes the last step.
    void end_part(streamed_part& p);
    void end_all();

    // Passes on what of `whole` was not told. Text that was told differently cannot be taken back and stays; `differs`
    // is for arguments, with which something would be called that the model did not say.
    enum class repaired : std::uint8_t { no, yes, differs };
    repaired repair(streamed_part& p, json whole, text_arena& arena);

private:
    std::vector<streamed_part> parts_;
    std::vector<stream_step>* out_ = nullptr;
    bool started_ = false;
};

struct streamed_item {
    std::int64_t index = 0;  // output_index
    std::string id;          // JSON string; may be empty
    bool done = false;
};

}  // namespace sluice::chat::responses
