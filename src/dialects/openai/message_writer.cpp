#include "dialects/openai/message_writer.hpp"

#include "dialects/openai/openai.hpp"
#include "dialects/openai/part_writer.hpp"
#include "dialects/values.hpp"

#include <algorithm>

namespace sluice::chat::openai {
namespace {

using http::json_writer;

template <class T>
const T* as(const part& p) {
    return std::get_if<T>(&p.value);
}

class message_writer {
public:
    message_writer(const conversation& c, const chat_quirks& q, losses& lost, json_writer& w)
        : c_(c), q_(q), lost_(lost), w_(w) {}

    result<void> write(std::size_t index) {
        const message& m = c_.messages[index];
        at_ = index;
        if (c_.dialect != chat_name) lost_.hints(m.extras, place_of(index) + ".");
        switch (m.who) {
            case role::system:
                return plain("system", m);
            case role::developer:
                return plain(q_.developer_role ? "developer" : "system", m);
            case role::user:
                return user(m);
            case role::assistant:
                return assistant(m);
        }
        return {};
    }

private:
    void begin(std::string_view role, const message& m) {
        w_.begin_object().key("role").string(role);
        if (!m.name.empty()) w_.key("name").raw(m.name);
    }

    void end(const message& m) {
        if (c_.dialect == chat_name) {
            for (const extra_field& f : m.extras) w_.key(f.key).raw(f.value);
        }
        w_.end_object();
    }

    // A single text stands as a string: servers that know no parts take it.
    result<void> content(const std::vector<const part*>& parts) {
        w_.key("content");
        const part* first = parts.empty() ? nullptr : parts.front();
        const text_part* text = first == nullptr ? nullptr : as<text_part>(*first);
        const bool marked = first != nullptr && !first->cache_control.empty() && q_.cache_control;
        if (parts.size() == 1 && text != nullptr && !marked && first->extras.empty()) {
            if (!first->cache_control.empty()) lost_.hint(place_of(at_, 0) + ".cache_control");
            w_.raw(text->text);
            return {};
        }
        w_.begin_array();
        for (const part* p : parts) {
            const auto index = static_cast<std::size_t>(p - c_.messages[at_].content.data());
            auto written = write_part(*p, place_of(at_, index), c_, q_, lost_, arena_, w_);
            if (!written) return written;
        }
        w_.end_array();
        return {};
    }

    result<void> plain(std::string_view role, const message& m) {
        std::vector<const part*> parts;
        for (const part& p : m.content) parts.push_back(&p);
        begin(role, m);
        auto written = content(parts);
        end(m);
        return written;
    }

    // Results of tools come first, each a message of its own, right behind the calls they answer.
    result<void> user(const message& m) {
        std::vector<const part*> rest;
        std::vector<const tool_result*> with_media;
        for (std::size_t i = 0; i < m.content.size(); ++i) {
            const auto* r = as<tool_result>(m.content[i]);
            if (r == nullptr) {
                rest.push_back(&m.content[i]);
                continue;
            }
            write_result(m, *r, i);
            if (std::any_of(r->content.begin(), r->content.end(),
                            [](const part& p) { return as<text_part>(p) == nullptr; }))
                with_media.push_back(r);
        }
        for (const tool_result* r : with_media) {
            if (auto written = media_of_result(*r); !written) return written;
        }
        if (rest.empty() && !m.content.empty()) return {};
        begin("user", m);
        auto written = content(rest);
        end(m);
        return written;
    }

    void write_result(const message& m, const tool_result& r, std::size_t index) {
        const std::string at = place_of(at_, index);
        w_.begin_object()
            .key("role")
            .string("tool")
            .key("tool_call_id")
            .raw(r.call_id.empty() ? json{R"("")"} : r.call_id);
        if (!r.name.empty() && c_.dialect == chat_name) w_.key("name").raw(r.name);
        // Parts stay parts where the client sent parts.
        const bool texts = r.content.size() > 1 && std::all_of(r.content.begin(), r.content.end(), [](const part& p) {
                               return as<text_part>(p) != nullptr;
                           });
        w_.key("content");
        if (texts && r.structured.empty()) {
            w_.begin_array();
            for (const part& p : r.content)
                w_.begin_object().key("type").string("text").key("text").raw(as<text_part>(p)->text).end_object();
            w_.end_array();
        } else {
            w_.raw(text_of(r, arena_));
        }
        if (c_.dialect == chat_name) {
            for (const extra_field& f : m.extras) w_.key(f.key).raw(f.value);
        }
        if (r.is_error) lost_.hint(at + ".is_error");
        if (!m.content[index].cache_control.empty()) {
            if (q_.cache_control) {
                w_.key("cache_control").raw(m.content[index].cache_control);
            } else {
                lost_.hint(at + ".cache_control");
            }
        }
        w_.end_object();
    }

    // A message of role tool takes nothing but text: what else the tool gave follows as the user's.
    result<void> media_of_result(const tool_result& r) {
        w_.begin_object().key("role").string("user").key("content").begin_array();
        std::string label = "Returned by the call ";
        label.append(decode(r.call_id)).append(":");
        w_.begin_object().key("type").string("text").key("text").string(label).end_object();
        for (const part& p : r.content) {
            if (as<text_part>(p) != nullptr) continue;
            auto written = write_part(p, place_of(at_), c_, q_, lost_, arena_, w_);
            if (!written) return written;
        }
        w_.end_array().end_object();
        return {};
    }

    result<void> assistant(const message& m) {
        std::vector<const part*> said, calls, thoughts;
        json refusal;
        for (std::size_t i = 0; i < m.content.size(); ++i) {
            const part& p = m.content[i];
            if (as<tool_call>(p) != nullptr) {
                calls.push_back(&p);
            } else if (const auto* r = as<reasoning_part>(p)) {
                thoughts.push_back(&p);
                note_thought(*r, i);
            } else if (const auto* refused = as<refusal_part>(p)) {
                refusal = refused->text;
            } else {
                said.push_back(&p);
            }
        }
        begin("assistant", m);
        thinking(thoughts);
        if (said.empty()) {
            w_.key("content").null();
        } else if (auto written = content(said); !written) {
            return written;
        }
        if (!refusal.empty()) w_.key("refusal").raw(refusal);
        if (!calls.empty()) {
            w_.key("tool_calls").begin_array();
            for (const part* p : calls) write_call(*p, c_, arena_, w_);
            w_.end_array();
        }
        end(m);
        return {};
    }

    // Only plain text can be sent back, and only to who made it or said it has no owner.
    bool sendable(const reasoning_part& r) const {
        return q_.history != chat_quirks::reasoning::none && r.signature.empty() && r.encrypted.empty() &&
               !r.text.empty();
    }
    void note_thought(const reasoning_part& r, std::size_t index) {
        if (!sendable(r)) lost_.hint(place_of(at_, index));
    }
    void thinking(const std::vector<const part*>& thoughts) {
        std::vector<part> plain;
        for (const part* p : thoughts) {
            const auto& r = std::get<reasoning_part>(p->value);
            if (sendable(r)) plain.push_back({text_part{r.text, {}, {}}});
        }
        if (plain.empty()) return;
        w_.key(q_.history == chat_quirks::reasoning::content ? "reasoning_content" : "reasoning");
        w_.raw(text_of(plain, arena_));
    }

    const conversation& c_;
    const chat_quirks& q_;
    losses& lost_;
    json_writer& w_;
    text_arena arena_;
    std::size_t at_ = 0;
};

}  // namespace

result<void> write_messages(const conversation& c, const chat_quirks& q, losses& lost, json_writer& w) {
    message_writer writer(c, q, lost, w);
    for (std::size_t i = 0; i < c.messages.size(); ++i) {
        if (auto written = writer.write(i); !written) return written;
    }
    return {};
}

}  // namespace sluice::chat::openai
