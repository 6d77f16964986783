#include "dialects/responses/item_writer.hpp"

#include "dialects/responses/responses.hpp"
#include "dialects/values.hpp"

#include <algorithm>

namespace sluice::chat::responses {
namespace {

using http::json_writer;

constexpr std::string_view role_names[] = {"system", "developer", "user", "assistant"};

class message_writer {
public:
    message_writer(const message& m, std::size_t index, writing& x, json_writer& w)
        : m_(m), index_(index), x_(x), w_(w), side_(m.who == role::assistant ? side::output : side::input) {}

    result<void> write() {
        if (!m_.name.empty()) x_.lost.hint(place_of(index_) + ".name");
        if (m_.content.empty()) return write_message(0, 0);
        for (std::size_t j = 0; j < m_.content.size();) {
            const part& p = m_.content[j];
            std::size_t next = j + 1;
            result<void> written;
            if (is_inline(p, side_)) {
                while (next < m_.content.size() && is_inline(m_.content[next], side_) && m_.content[next].item.empty())
                    ++next;
                written = write_message(j, next);
            } else if (std::holds_alternative<reasoning_part>(p.value)) {
                next = write_thoughts(j);
            } else {
                written = write_item(p, place_of(index_, j));
            }
            if (!written) return written;
            j = next;
        }
        return {};
    }

private:
    bool first_message(std::size_t begin) const {
        return std::none_of(m_.content.begin(), m_.content.begin() + static_cast<std::ptrdiff_t>(begin),
                            [&](const part& p) { return is_inline(p, side_); });
    }

    // Parts that stand in one message item. The first of a message's items has its id and extras.
    result<void> write_message(std::size_t begin, std::size_t end) {
        const bool first = first_message(begin);
        const json envelope = begin < m_.content.size() ? m_.content[begin].item : json{};
        const bool has_id = first && !m_.id.empty() && m_.id != instructions_id;
        const text_part* const only = end - begin == 1 ? plain_text(m_.content[begin]) : nullptr;
        // What the model said stands in full, unless nothing but its text is known.
        const bool brief = only != nullptr && (side_ == side::input || !(has_id || envelope.size() > 2));
        w_.begin_object();
        if (has_id || !brief) w_.key("type").string("message");
        if (has_id && x_.own) w_.key("id").raw(m_.id);
        w_.key("role").string(role_names[static_cast<std::size_t>(m_.who)]);
        const bool status =
            std::any_of(m_.extras.begin(), m_.extras.end(), [](const auto& f) { return f.key == "status"; });
        if (has_id && x_.own && side_ == side::output && !status) w_.key("status").string("completed");
        if (first) write_extras(m_.extras, place_of(index_) + ".", x_, w_);
        each_member(envelope, [&](std::string_view key, const json_value& v) { w_.key(key).raw(v.raw); });
        auto written = write_content(begin, end, brief ? only : nullptr);
        w_.end_object();
        return written;
    }

    result<void> write_content(std::size_t begin, std::size_t end, const text_part* only) {
        w_.key("content");
        if (only != nullptr) {
            if (!m_.content[begin].cache_control.empty()) x_.lost.hint(place_of(index_, begin) + ".cache_control");
            w_.raw(only->text);
            return {};
        }
        w_.begin_array();
        for (std::size_t j = begin; j < end; ++j) {
            auto written = write_part(m_.content[j], place_of(index_, j), side_, x_, w_);
            if (!written) return written;
        }
        w_.end_array();
        return {};
    }

    // Only what OpenAI made goes back to it; what came without a secret means something to its own dialect alone.
    bool may_go(const reasoning_part& r) const {
        const bool secret = !r.encrypted.empty() || !r.signature.empty();
        return secret ? r.from == "openai" : x_.own && (r.from.empty() || r.from == "openai");
    }

    std::size_t write_thoughts(std::size_t j) {
        const part* const parts = m_.content.data();
        const part* const last = reasoning_end(parts + j, parts + m_.content.size());
        const auto& r = std::get<reasoning_part>((last - 1)->value);
        if (may_go(r)) {
            std::vector<part> thoughts(parts + j, last);
            // What other dialects hand back is the summary that OpenAI gave: it shows no more of a secret reasoning.
            for (part& p : thoughts) std::get<reasoning_part>(p.value).summary |= !x_.own;
            write_reasoning(thoughts.data(), thoughts.data() + thoughts.size(), x_.own ? r.id : json{},
                            r.encrypted.empty() ? r.signature : r.encrypted, x_.arena, w_);
            write_extras((last - 1)->extras, place_of(index_, j) + ".", x_, w_);
            w_.end_object();
        } else {
            for (const part* p = parts + j; p != last; ++p)
                x_.lost.hint(place_of(index_, static_cast<std::size_t>(p - parts)));
        }
        return static_cast<std::size_t>(last - parts);
    }

    result<void> write_item(const part& p, const std::string& at) {
        if (!p.cache_control.empty()) x_.lost.hint(at + ".cache_control");
        if (const auto* native = std::get_if<native_part>(&p.value)) {
            if (native->dialect != dialect_name)
                return x_.lost.feature(
                    at, "what only " + std::string(native->dialect) + " knows: " + std::string(native->type));
            w_.raw(native->value);
            return {};
        }
        result<void> written;
        if (const auto* call = std::get_if<tool_call>(&p.value)) {
            open_call(*call);
        } else if (const auto* r = std::get_if<tool_result>(&p.value)) {
            written = open_result(*r, at);
        } else {
            const auto& picture = std::get<media_part>(p.value);
            if (picture.what != media_kind::image || picture.base64.empty())
                return x_.lost.feature(at, "files and audio in what the model said");
            open_picture(picture, p.extras);
        }
        if (!written) return written;
        write_extras(p.extras, at + ".", x_, w_);
        w_.end_object();
        return {};
    }

    void open_call(const tool_call& call) {
        const bool custom = call.what == tool_call::kind::custom;
        w_.begin_object().key("type").string(custom ? "custom_tool_call" : "function_call");
        if (x_.own && !call.item_id.empty()) w_.key("id").raw(call.item_id);
        w_.key("call_id").raw(call.id.empty() ? json{R"("")"} : call.id).key("name").raw(call.name);
        if (custom) {
            w_.key("input").raw(call.arguments.empty() ? json{R"("")"} : call.arguments);
        } else {
            w_.key("arguments").raw(arguments_string(call, x_.arena));
        }
    }

    result<void> open_result(const tool_result& r, const std::string& at) {
        const bool custom = r.what == tool_call::kind::custom;
        if (r.is_error) x_.lost.hint(at + ".is_error");
        w_.begin_object().key("type").string(custom ? "custom_tool_call_output" : "function_call_output");
        if (!r.call_id.empty()) w_.key("call_id").raw(r.call_id);
        if (!r.name.empty() && x_.own) w_.key("name").raw(r.name);
        w_.key("output");
        return write_output(r, at, x_, w_);
    }

    void open_picture(const media_part& m, const extra_fields& extras) {
        w_.begin_object().key("type").string("image_generation_call");
        const auto has = [&](std::string_view key) {
            return x_.own && std::any_of(extras.begin(), extras.end(), [&](const auto& f) { return f.key == key; });
        };
        if (!has("status")) w_.key("status").string("completed");
        w_.key("result").raw(enclose(m.base64, x_.arena));
        if (m.mime.starts_with("image/") && m.mime != "image/png") w_.key("output_format").string(m.mime.substr(6));
    }

    const message& m_;
    const std::size_t index_;
    writing& x_;
    json_writer& w_;
    const side side_;
};

}  // namespace

const text_part* instructions_of(const conversation& c) {
    if (c.messages.empty() || c.messages.front().who != role::system) return nullptr;
    const message& m = c.messages.front();
    if (c.dialect == dialect_name && m.id != instructions_id) return nullptr;
    if (m.content.size() != 1 || !m.extras.empty()) return nullptr;
    return plain_text(m.content.front());
}

result<void> write_items(writing& x, json_writer& w) {
    const std::size_t first = instructions_of(x.c) == nullptr ? 0 : 1;
    for (std::size_t i = first; i < x.c.messages.size(); ++i) {
        auto written = message_writer(x.c.messages[i], i, x, w).write();
        if (!written) return written;
    }
    return {};
}

const part* reasoning_end(const part* first, const part* end) {
    const auto* before = std::get_if<reasoning_part>(&first->value);
    for (const part* p = first + 1; p != end; ++p) {
        const auto* r = std::get_if<reasoning_part>(&p->value);
        const bool closed = !before->encrypted.empty() || !before->signature.empty() || !(p - 1)->extras.empty() ||
                            before->text.empty();
        // The texts of the summary stand before those of the reasoning.
        if (r == nullptr || closed || r->id != before->id || (r->summary && !before->summary)) return p;
        before = r;
    }
    return end;
}

void write_reasoning(const part* first, const part* last, json id, json_chars secret, text_arena& arena,
                     json_writer& w) {
    w.begin_object().key("type").string("reasoning");
    if (!id.empty()) w.key("id").raw(id);
    const auto texts = [&](bool summary, std::string_view type) {
        for (const part* p = first; p != last; ++p) {
            const auto& r = std::get<reasoning_part>(p->value);
            if (r.summary != summary || r.text.empty()) continue;
            w.begin_object().key("type").string(type).key("text").raw(r.text).end_object();
        }
    };
    w.key("summary").begin_array();
    texts(true, "summary_text");
    w.end_array();
    const bool open = std::any_of(first, last, [](const part& p) {
        const auto& r = std::get<reasoning_part>(p.value);
        return !r.summary && !r.text.empty();
    });
    if (open) {
        w.key("content").begin_array();
        texts(false, "reasoning_text");
        w.end_array();
    }
    if (!secret.empty()) w.key("encrypted_content").raw(enclose(secret, arena));
}

}  // namespace sluice::chat::responses
