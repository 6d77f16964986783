// ConverseStream's events, as steps.
//
//   messageStart (contentBlockStart? contentBlockDelta* contentBlockStop)* messageStop metadata
//
// A block of text or reasoning has no start: its first delta is one. Usage comes behind the finish, in `metadata`.
#include "dialects/bedrock/answers.hpp"
#include "dialects/bedrock/bedrock.hpp"
#include "dialects/values.hpp"

#include <algorithm>
#include <array>

namespace sluice::chat::bedrock {

namespace {

constexpr std::size_t open_blocks_max = 256;
constexpr std::int32_t blocks_max = 65536;

class converse_reader final : public stream_reader {
public:
    result<void> read(std::string_view name, std::string_view data, std::vector<stream_step>& out) override;
    result<void> finish(std::vector<stream_step>& out) override;

private:
    using step = stream_step;
    // A content block that has begun. `skipped`: one of Bedrock's own tools, which no client could answer.
    struct block {
        std::int64_t index = 0;
        std::int32_t part = 0;
        step::part_type type = step::part_type::text;
        bool skipped = false;
        bool closed = false;     // its end was read; goes at the next event, as steps may look at its strings
        bool any_input = false;  // of a call
        std::string signature, encrypted;
    };
    enum class phase : std::uint8_t { before, open, stopped, over };

    result<void> read_start(json data, std::vector<step>& out);
    result<void> read_delta(json data, std::vector<step>& out);
    void read_reasoning(block& b, json delta, std::vector<step>& out);
    void read_message_stop(json data, std::vector<step>& out);
    void read_metadata(json data, std::vector<step>& out);
    void read_exception(std::string_view name, json data, std::vector<step>& out);
    result<block*> block_of(std::int64_t index, step::part_type type, std::vector<step>& out);
    block* find(std::int64_t index);
    void close(block& b, std::vector<step>& out);
    void forget_closed();

    static step& add(step::kind what, std::vector<step>& out) {
        step& s = out.emplace_back();
        s.what = what;
        return s;
    }
    static step& add(step::kind what, const block& b, std::vector<step>& out) {
        step& s = add(what, out);
        s.part = b.part;
        s.type = b.type;
        return s;
    }
    static void add_delta(const block& b, json text, std::vector<step>& out) {
        add(step::kind::delta, b, out).text = text;
    }
    error broken(std::string_view name, std::string_view data) const {
        return error{error_kind::upstream_protocol,
                     "The upstream's event is not one of ConverseStream: " + excerpt(name) + " " + excerpt(data)};
    }

    std::vector<block> blocks_;
    std::int32_t parts_ = 0;
    phase phase_ = phase::before;
    bool any_closed_ = false;
};

result<void> converse_reader::read(std::string_view name, std::string_view data, std::vector<step>& out) {
    forget_closed();
    if (phase_ == phase::over) return {};
    const json event = data.substr(std::min(data.find_first_not_of(" \t\r\n"), data.size()));
    if (type_of(event) != json_type::object || !validate_json(data)) return broken(name, data);
    if (name.starts_with("exception:") || name.starts_with("error:")) {
        read_exception(name, event, out);
        return {};
    }
    const bool content = name.starts_with("contentBlock");
    if (phase_ == phase::before && (content || name == "messageStart" || name == "messageStop")) {
        add(step::kind::start, out);
        if (name != "messageStart") ++repairs_;
        phase_ = phase::open;
    }
    if (content && phase_ != phase::open) return broken(name, data);
    if (name == "contentBlockDelta") return read_delta(event, out);
    if (name == "contentBlockStart") return read_start(event, out);
    if (name == "contentBlockStop") {
        each_member(event, [&](std::string_view key, const json_value& v) {
            if (key != "contentBlockIndex") return;
            if (block* const b = find(v.integer().value_or(-1))) close(*b, out);
        });
    } else if (name == "messageStop" && phase_ == phase::open) {
        read_message_stop(event, out);
    } else if (name == "metadata") {
        read_metadata(event, out);
    }
    return {};
}

result<void> converse_reader::finish(std::vector<step>& out) {
    forget_closed();
    if (phase_ == phase::over) return {};
    if (phase_ != phase::stopped) {
        return error{error_kind::upstream_reset, "The upstream's stream ended before its messageStop."};
    }
    add(step::kind::end, out);
    phase_ = phase::over;
    return {};
}

void converse_reader::forget_closed() {
    if (!any_closed_) return;
    blocks_.erase(std::remove_if(blocks_.begin(), blocks_.end(), [](const block& b) { return b.closed; }),
                  blocks_.end());
    any_closed_ = false;
}

converse_reader::block* converse_reader::find(std::int64_t index) {
    for (block& b : blocks_) {
        if (b.index == index && !b.closed) return &b;
    }
    return nullptr;
}

// The block of that index, begun if it was not.
result<converse_reader::block*> converse_reader::block_of(std::int64_t index, step::part_type type,
                                                          std::vector<step>& out) {
    if (block* const found = find(index)) return found;
    if (blocks_.size() == open_blocks_max || parts_ == blocks_max) {
        return error{error_kind::upstream_protocol, "The upstream's answer has too many content blocks."};
    }
    block& b = blocks_.emplace_back();
    b.index = index;
    b.type = type;
    if (type != step::part_type::tool_call) {  // which starts with its name
        b.part = parts_++;
        add(step::kind::part_start, b, out);
    }
    return &b;
}

// {"start":{"toolUse":{"toolUseId":"tooluse_1","name":"f"}},"contentBlockIndex":1}
result<void> converse_reader::read_start(json data, std::vector<step>& out) {
    std::int64_t index = -1;
    json id, tool, own;
    bool call = false, result = false;
    each_member(data, [&](std::string_view key, const json_value& v) {
        if (key == "contentBlockIndex") index = v.integer().value_or(-1);
        if (key != "start") return;
        each_member(v.raw, [&](std::string_view type, const json_value& start) {
            call = call || type == "toolUse";
            result = result || type == "toolResult";
            each_member(start.raw, [&](std::string_view name, const json_value& value) {
                if (name == "toolUseId") id = value.raw;
                if (name == "name") tool = value.raw;
                if (name == "type") own = value.raw;
            });
        });
    });
    if (!call && !result) return {};  // text: its first delta begins it
    const bool unnamed = call && own.empty() && (!is_string(id) || !is_string(tool));
    if (index < 0 || unnamed || find(index) != nullptr) {
        return broken("contentBlockStart", data);
    }
    auto begun = block_of(index, step::part_type::tool_call, out);
    if (!begun) return begun.error();
    (*begun)->skipped = result || !own.empty();
    if ((*begun)->skipped) return {};
    (*begun)->part = parts_++;
    step& s = add(step::kind::part_start, **begun, out);
    s.id = id;
    s.name = tool;
    return {};
}

// {"delta":{"text":"Hi"},"contentBlockIndex":0}
result<void> converse_reader::read_delta(json data, std::vector<step>& out) {
    std::int64_t index = -1;
    std::string_view type;
    json value;
    each_member(data, [&](std::string_view key, const json_value& v) {
        if (key == "contentBlockIndex") index = v.integer().value_or(-1);
        if (key != "delta") return;
        each_member(v.raw, [&](std::string_view name, const json_value& inner) {
            type = name;
            value = inner.raw;
        });
    });
    if (index < 0) return broken("contentBlockDelta", data);
    if (type == "text") {
        if (!is_string(value)) return broken("contentBlockDelta", data);
        if (is_empty_string(value)) return {};
        const auto b = block_of(index, step::part_type::text, out);
        if (!b) return b.error();
        if ((*b)->type != step::part_type::text) return broken("contentBlockDelta", data);
        add_delta(**b, value, out);
    } else if (type == "toolUse") {
        block* const b = find(index);
        if (b == nullptr || b->type != step::part_type::tool_call) return broken("contentBlockDelta", data);
        each_member(value, [&](std::string_view key, const json_value& v) {
            if (key != "input" || b->skipped || !is_string(v.raw) || is_empty_string(v.raw)) return;
            b->any_input = true;
            add_delta(*b, v.raw, out);
        });
    } else if (type == "reasoningContent") {
        const auto b = block_of(index, step::part_type::reasoning, out);
        if (!b) return b.error();
        if ((*b)->type != step::part_type::reasoning) return broken("contentBlockDelta", data);
        read_reasoning(**b, value, out);
    }
    return {};  // a citation, or what is not known: there is no step for it
}

void converse_reader::read_reasoning(block& b, json delta, std::vector<step>& out) {
    each_member(delta, [&](std::string_view key, const json_value& v) {
        if (!is_string(v.raw) || is_empty_string(v.raw)) return;
        if (key == "text") add_delta(b, v.raw, out);
        if (key == "signature") b.signature += chars_of(v.raw);
        if (key == "redactedContent") b.encrypted += chars_of(v.raw);
    });
}

void converse_reader::close(block& b, std::vector<step>& out) {
    b.closed = any_closed_ = true;
    if (b.skipped) return;
    const bool call = b.type == step::part_type::tool_call;
    // A tool without parameters: clients read the pieces as JSON, and none is no JSON.
    if (call && !b.any_input) add_delta(b, R"("{}")", out);
    step& s = add(step::kind::part_end, b, out);
    s.signature = b.signature;
    s.encrypted = b.encrypted;
    if (!b.signature.empty() || !b.encrypted.empty()) s.from = maker_name;
}

// {"stopReason":"end_turn","additionalModelResponseFields":{"stop_sequence":"###"}}
void converse_reader::read_message_stop(json data, std::vector<step>& out) {
    for (block& b : blocks_) {
        if (b.closed) continue;
        if (!b.skipped) ++repairs_;
        close(b, out);
    }
    step& s = add(step::kind::finish, out);
    each_member(data, [&](std::string_view key, const json_value& v) {
        if (key == "stopReason") s.why = finish_of(v.raw);
        if (key != "additionalModelResponseFields") return;
        each_member(v.raw, [&](std::string_view name, const json_value& value) {
            if (name == "stop_sequence" && is_string(value.raw)) s.stop_sequence = value.raw;
        });
    });
    phase_ = phase::stopped;
}

// {"usage":{...},"metrics":{"latencyMs":1275}}: the last event of a whole stream.
void converse_reader::read_metadata(json data, std::vector<step>& out) {
    step& s = add(step::kind::usage, out);
    each_member(data, [&](std::string_view key, const json_value& v) {
        if (key == "usage") s.usage = usage_of(v.raw);
    });
    if (!s.usage.reported()) out.pop_back();
    if (phase_ != phase::stopped) return;
    add(step::kind::end, out);
    phase_ = phase::over;
}

constexpr auto exception_names = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"exception:internalServerException", R"("internalServerException")"},
    {"exception:modelStreamErrorException", R"("modelStreamErrorException")"},
    {"exception:validationException", R"("validationException")"},
    {"exception:throttlingException", R"("throttlingException")"},
    {"exception:modelTimeoutException", R"("modelTimeoutException")"},
    {"exception:serviceUnavailableException", R"("serviceUnavailableException")"},
});

void converse_reader::read_exception(std::string_view name, json data, std::vector<step>& out) {
    step& s = add(step::kind::failure, out);
    s.text = R"("The model's stream broke off.")";
    s.name = R"("error")";
    for (const auto& [known, type] : exception_names) {
        if (known == name) s.name = type;
    }
    each_member(data, [&](std::string_view key, const json_value& v) {
        const bool message = key == "message" || key == "Message" || key == "originalMessage";
        if (message && is_string(v.raw) && !is_empty_string(v.raw)) s.text = v.raw;
    });
    phase_ = phase::over;
}

}  // namespace

std::unique_ptr<stream_reader> make_stream_reader() {
    return std::make_unique<converse_reader>();
}

}  // namespace sluice::chat::bedrock
