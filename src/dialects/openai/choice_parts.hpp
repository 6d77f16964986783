// The parts of one choice of a streamed chat completion, told apart from its deltas.
//
// Deltas do not say where a part ends. Text and reasoning end where another kind of part begins; a call ends when
// its arguments are whole and another part begins, or with the choice. So calls that come one after the other are told
// apart at once, and calls that come mixed stay open side by side. What a custom tool gets is free text, of which
// nobody knows when it is whole: such a call stays open until the choice ends.
#pragma once

#include "dialects/values.hpp"

#include <sluice/answer.hpp>

#include <cstdint>
#include <deque>
#include <forward_list>
#include <optional>
#include <string>
#include <vector>

namespace sluice::chat::openai {

using stream_steps = std::vector<stream_step>;

// What steps view that stands in no event: made for one call of the reader, and gone with the next. Costs nothing
// where nothing is made.
class step_scratch {
public:
    void clear();
    text_arena& texts() { return texts_ ? *texts_ : texts_.emplace(); }
    const part& keep(part p) { return parts_.emplace_front(std::move(p)); }

private:
    std::optional<text_arena> texts_;
    std::forward_list<part> parts_;
};

class choice_parts {
public:
    // What had to be made good is counted in `repairs`, which outlives this.
    choice_parts(std::int64_t index, int& repairs) : index_(index), repairs_(repairs) {}
    std::int64_t index() const { return index_; }
    bool finished() const { return finished_; }
    // Arguments of a call are still missing, as far as one can know.
    bool mid_call() const;

    // A piece of text, reasoning or refusal. No string, or an empty one, is none.
    void flow(stream_step::part_type type, json text, json logprobs, step_scratch& scratch, stream_steps& out);
    // `reasoning_content`, or what a server calls so.
    void reasoning(json text, step_scratch& scratch, stream_steps& out);
    // An entry of `thinking_blocks`: what signs the reasoning before it, or a hidden one, a part of its own. Its text
    // is taken where no reasoning_content came before it: servers that write both write the same.
    void thinking_block(json block, step_scratch& scratch, stream_steps& out);
    // An entry of `tool_calls`; `answer` is the completion's id, of which an id is made for a call without one. False:
    // it belongs to no call that is known and begins none.
    bool call_piece(json entry, json answer, step_scratch& scratch, stream_steps& out);
    // `images`, each a part of its own.
    void images(json list, step_scratch& scratch, stream_steps& out);
    // `annotations`: citations of the text that is open. They come behind it, in one delta or several.
    void annotations(json list);
    void end(finish_reason why, step_scratch& scratch, stream_steps& out);

private:
    struct call_state {
        std::int64_t index = 0;  // as the upstream counts
        std::int32_t part = 0;
        bool custom = false;
        bool open = true;
        std::string id;  // with quotes; empty: it has none
        std::string signature;
        object_progress progress;
        bool whole() const { return !custom && progress.whole(); }
    };
    struct piece;

    static piece look_at(json entry, step_scratch& scratch);
    call_state* call_of(const piece& p);
    call_state& begin_call(const piece& p, json answer, step_scratch& scratch, stream_steps& out);
    void end_call(call_state& call, stream_steps& out);
    void end_whole_calls(stream_steps& out);
    void end_flow(step_scratch& scratch, stream_steps& out);
    stream_step& step(stream_step::kind what, std::int32_t part, stream_steps& out) const;

    std::int64_t index_;
    std::int32_t parts_ = 0;  // begun so far
    bool flowing_ = false;    // a part of text, reasoning or refusal is open: the latest
    bool finished_ = false;
    stream_step::part_type flow_ = stream_step::part_type::text;
    bool thought_ = false;   // reasoning came outside of blocks
    std::string citations_;  // objects with commas between
    std::string signature_;  // of the open reasoning, as it came
    std::deque<call_state> calls_;
    int& repairs_;
};

}  // namespace sluice::chat::openai
